package deploy

import (
	"context"
	"encoding/json"
)

// scaling is the field manager that holds the number of pods until an autoscaler sets it.
const scaling = fieldManager + "-scaling"

// HandOver keeps the number of pods where the Deployment that is applied next leaves it to an autoscaler, and the one before did not.
//
// Kubernetes, "Server-Side Apply", Transferring ownership: a field that its only manager applies no more goes back to its default. Here that is one
// pod, which would have to serve alone what many did until the autoscaler has looked.
func (k Kubectl) HandOver(ctx context.Context, name string) error {
	var found struct {
		Metadata struct {
			ManagedFields []struct {
				Manager  string `json:"manager"`
				FieldsV1 struct {
					Spec map[string]json.RawMessage `json:"f:spec"`
				} `json:"fieldsV1"`
			} `json:"managedFields"`
		} `json:"metadata"`
		Spec struct {
			Replicas *int `json:"replicas"`
		} `json:"spec"`
	}
	if err := k.get(ctx, &found, "deployment", name, "--ignore-not-found", "--show-managed-fields"); err != nil || found.Spec.Replicas == nil {
		return err
	}
	ours := false
	for _, m := range found.Metadata.ManagedFields {
		if _, sets := m.FieldsV1.Spec["f:replicas"]; sets && m.Manager != fieldManager {
			return nil
		} else if sets {
			ours = true
		}
	}
	if !ours {
		return nil
	}
	manifest, err := json.Marshal(map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]string{"name": name, "namespace": k.Namespace},
		"spec": map[string]int{"replicas": *found.Spec.Replicas},
	})
	if err != nil {
		return err
	}
	// Without --validate=false kubectl misses the selector and the pods, which the cluster has.
	_, _, err = k.run(ctx, manifest, "apply", "--server-side", "--field-manager", scaling, "--validate=false", "--filename", "-")
	return err
}
