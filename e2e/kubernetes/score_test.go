package kubernetes_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// kubeScore builds kube-score, which tools/kubescore pins, once.
var kubeScore = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(filepath.Dir(program), "kube-score")
	build := exec.Command("go", "build", "-o", binary, "github.com/zegl/kube-score/cmd/kube-score")
	build.Dir = root + "/tools/kubescore"
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build kube-score: %w\n%s", err, out)
	}
	return binary, nil
})

// An exception is a check of kube-score that is not followed, with the reason. docs/manifests.md has them too.
var exceptions = map[string]string{
	"container-image-pull-policy": "a digest cannot change: pulling it anew proves nothing, and makes the registry a part of every start",
	"container-resources": "the file decides on a CPU limit (kubernetes.resources.cpuLimit): one that is too low throttles a service that has the node's CPU to itself, " +
		"and Go sizes itself by the limit that is there",
	"deployment-replicas": "a file that asks for one pod has it",
}

// complaint is what kube-score holds against an object.
type complaint struct{ check, object, text string }

func complaints(t *testing.T, objects []object) []complaint {
	t.Helper()
	binary, err := kubeScore()
	if err != nil {
		t.Fatal(err)
	}
	var texts [][]byte
	for _, o := range objects {
		texts = append(texts, o.text)
	}
	cmd := exec.Command(binary, "score", "--output-format", "json", "--kubernetes-version", "v1.34",
		"--enable-optional-test", "container-seccomp-profile", "--enable-optional-test", "container-ports-check", "-")
	cmd.Stdin = bytes.NewReader(bytes.Join(texts, []byte("\n---\n")))
	out, _ := cmd.Output() // it fails when there is a complaint
	var scored []struct {
		Name   string `json:"object_name"`
		Checks []struct {
			Check    struct{ ID string }
			Grade    int
			Skipped  bool
			Comments []struct{ Path, Summary, Description string }
		}
	}
	if err := json.Unmarshal(out, &scored); err != nil || len(scored) < 4 {
		t.Fatalf("kube-score: %d objects, %v\n%s", len(scored), err, out)
	}
	const allOK = 10
	var all []complaint
	for _, o := range scored {
		for _, c := range o.Checks {
			if !c.Skipped && c.Grade < allOK {
				all = append(all, complaint{c.Check.ID, o.Name, fmt.Sprintf("%+v", c.Comments)})
			}
		}
	}
	return all
}

// TestKubeScore holds every variant to kube-score, but for the exceptions. One that no variant needs is to be taken away.
func TestKubeScore(t *testing.T) {
	used := map[string]bool{}
	each(t, func(t *testing.T, objects []object) {
		for _, c := range complaints(t, objects) {
			used[c.check] = true
			if exceptions[c.check] == "" {
				t.Errorf("%s: %s: %s", c.object, c.check, c.text)
			}
		}
	})
	page, err := os.ReadFile(root + "/docs/manifests.md")
	if err != nil {
		t.Fatal(err)
	}
	for id := range exceptions {
		if !used[id] {
			t.Errorf("no variant needs the exception for %s", id)
		}
		if !bytes.Contains(page, []byte("| `"+id+"`")) {
			t.Errorf("docs/manifests.md does not argue the exception for %s", id)
		}
	}
}

// TestKubeScoreCanComplain spoils one line at a time.
func TestKubeScoreCanComplain(t *testing.T) {
	for _, test := range []struct{ from, to, check string }{
		{"readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "container-security-context-readonlyrootfilesystem"},
		{"privileged: false", "privileged: true", "container-security-context-privileged"},
		{"runAsGroup: 65532", "runAsGroup: 0", "container-security-context-user-group-id"},
		{"readinessProbe:", "readyProbe:", "pod-probes"},
		{"ephemeral-storage: 128Mi", "storage: 128Mi", "container-ephemeral-storage-request-and-limit"},
		{"selector:\n    app.kubernetes.io/name: orders", "selector:\n    app.kubernetes.io/name: other", "service-targets-pod"},
		{"kind: NetworkPolicy", "kind: NetworkPolicyOfOld", "pod-networkpolicy"},
	} {
		t.Run(test.check, func(t *testing.T) {
			objects := manifests(t, testdata+"/full.good.yaml", image)
			changed := false
			for i, o := range objects {
				objects[i].text = bytes.ReplaceAll(o.text, []byte(test.from), []byte(test.to))
				changed = changed || !bytes.Equal(o.text, objects[i].text)
			}
			if !changed {
				t.Fatalf("no object has %q", test.from)
			}
			found := false
			for _, c := range complaints(t, objects) {
				found = found || c.check == test.check
			}
			if !found {
				t.Errorf("kube-score does not mind %q", test.to)
			}
		})
	}
}
