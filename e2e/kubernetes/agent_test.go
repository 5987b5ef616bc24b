package kubernetes_test

import (
	"os"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"
)

// TestTheAgentsDaemonSet: what docs/agent.md has to be copied is an object of Kubernetes, without a member of another name.
func TestTheAgentsDaemonSet(t *testing.T) {
	page, err := os.ReadFile("../../docs/agent.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```yaml\napiVersion: apps/v1\n")
	text, _, _ := strings.Cut(after, "```")
	var set appsv1.DaemonSet
	if err := yaml.UnmarshalStrict([]byte("apiVersion: apps/v1\n"+text), &set); err != nil {
		t.Fatal(err)
	}
	pod := set.Spec.Template
	volumes := map[string]bool{}
	for _, v := range pod.Spec.Volumes {
		volumes[v.Name] = true
	}
	if set.Kind != "DaemonSet" || len(volumes) != 3 || pod.Labels["app"] != set.Spec.Selector.MatchLabels["app"] {
		t.Errorf("%+v", set)
	}
	for _, m := range pod.Spec.Containers[0].VolumeMounts {
		if !volumes[m.Name] {
			t.Errorf("there is no volume %s", m.Name)
		}
	}
}
