package kubernetes_test

import (
	"strconv"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"
)

// written are the members of the object's spec that the document has, without defaults.
func written(t *testing.T, objects []object, kind string) []string {
	t.Helper()
	var o struct {
		Spec map[string]any `json:"spec"`
	}
	if err := yaml.Unmarshal(only(t, objects, kind).text, &o); err != nil {
		t.Fatal(err)
	}
	return keysOf(o.Spec)
}

func keysOf[V any](m map[string]V) []string {
	var all []string
	for key := range m {
		all = append(all, key)
	}
	return all
}

func images(t *testing.T, o object) []string {
	t.Helper()
	var all []string
	for _, c := range decodeAs[*appsv1.Deployment](t, o).Spec.Template.Spec.Containers {
		all = append(all, c.Image)
	}
	return all
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
