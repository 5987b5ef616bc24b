package deploy_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/deploy"
)

var demo = deploy.Kubectl{Context: "demo", Namespace: "orders"}

// TestExplain holds what kubectl's words become. They are those of kubectl 1.32, but for the cluster's own, which are Kubernetes' API's.
func TestExplain(t *testing.T) {
	playKubectl(t)
	for _, test := range []struct{ says, want string }{
		{"Error in configuration: context was not found for specified context: demo", "kubectl has no context demo; make it with: aws eks update-kubeconfig"},
		{"E1123 10:47:02.535156   15295 memcache.go:265] \"Unhandled Error\" err=\"noise\"\nThe connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?",
			"the cluster of context demo does not answer"},
		{"Unable to connect to the server: dial tcp: lookup nohost.invalid on 10.0.0.2:53: no such host", "does not answer"},
		{"Unable to connect to the server: getting credentials: exec: executable aws not found", "from a program that is not on the PATH (for EKS, the AWS CLI)"},
		{"error: You must be logged in to the server (Unauthorized)", "does not know you: log in to AWS anew"},
		{"Error from server (Forbidden): deployments.apps \"orders\" is forbidden", "does not let you do this"},
		{"error: Apply failed with 1 conflict: conflict with \"argocd\" using apps/v1: .spec.replicas", "--force-conflicts takes them over"},
		{"error: something new", "kubectl: exit status 1\nerror: something new"},
	} {
		t.Setenv("SAYS", test.says)
		_, err := demo.Apply(t.Context(), nil, false)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "noise") {
			t.Errorf("%s\ngot  %v\nwant %s", test.says, err, test.want)
		}
		if forbidden := strings.Contains(test.says, "Forbidden"); errors.Is(err, deploy.ErrForbidden) != forbidden {
			t.Errorf("%s: ErrForbidden is %t", test.says, !forbidden)
		}
	}
}

func TestForward(t *testing.T) {
	playKubectl(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "orders") }))
	t.Cleanup(server.Close)
	t.Setenv("BACKEND", strings.TrimPrefix(server.URL, "http://"))
	mine := errors.New("mine")
	err := demo.Forward(t.Context(), "orders", func(address string) error {
		res, err := http.Get("http://" + address)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != "orders" {
			t.Errorf("%q, %v", body, err)
		}
		return mine
	})
	if !errors.Is(err, mine) {
		t.Errorf("got %v", err)
	}
	t.Setenv("SAYS", "Error from server (NotFound): services \"orders\" not found")
	if err := demo.Forward(t.Context(), "orders", func(string) error { t.Error("it is used all the same"); return nil }); err == nil || !strings.Contains(err.Error(), `services "orders" not found`) {
		t.Errorf("got %v", err)
	}
}

// A cluster that does not answer for a moment goes on with the rollout, and so does whoever watches it.
func TestRolloutOutlivesASilence(t *testing.T) {
	playKubectl(t)
	dir := t.TempDir()
	t.Setenv("ANSWERS", dir)
	done := `{"metadata":{"name":"orders","uid":"d","generation":3},"spec":{"replicas":2},"status":{"observedGeneration":3,"replicas":2,"updatedReplicas":2,"availableReplicas":2}}`
	if err := os.WriteFile(filepath.Join(dir, "deployment"), []byte(done), 0o600); err != nil {
		t.Fatal(err)
	}
	const silent = "Unable to connect to the server: net/http: TLS handshake timeout"
	t.Setenv("SAYS", silent)
	state, err := demo.Rollout(t.Context(), "orders", deploy.Watch{Interval: time.Millisecond, Progress: func(state string) {
		if strings.Contains(state, "does not answer") {
			t.Setenv("SAYS", "")
		}
	}})
	if state != "2 of 2 pods are ready" || err != nil {
		t.Errorf("got %q, %v", state, err)
	}
	t.Setenv("SAYS", silent)
	if _, err := demo.Rollout(t.Context(), "orders", deploy.Watch{Interval: time.Millisecond}); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("a silence without an end: %v", err)
	}
	t.Setenv("SAYS", "Error from server (Forbidden): deployments.apps is forbidden")
	if _, err := demo.Rollout(t.Context(), "orders", deploy.Watch{Interval: time.Hour}); !errors.Is(err, deploy.ErrForbidden) {
		t.Errorf("a refusal is no silence: %v", err)
	}
}

// TestRollout reads a Deployment's status as kubectl rollout status does.
func TestRollout(t *testing.T) {
	playKubectl(t)
	for _, test := range []struct {
		name, status, state string
		err                 error
	}{
		{"done", `"observedGeneration":3,"replicas":2,"updatedReplicas":2,"availableReplicas":2`, "2 of 2 pods are ready", nil},
		{"not looked at yet", `"observedGeneration":2,"replicas":2,"updatedReplicas":2,"availableReplicas":2`, "the cluster has not looked at it yet", context.Canceled},
		{"few new pods", `"observedGeneration":3,"replicas":3,"updatedReplicas":1,"availableReplicas":2`, "1 of 2 new pods are made", context.Canceled},
		{"not ready", `"observedGeneration":3,"replicas":2,"updatedReplicas":2,"availableReplicas":1`, "1 of 2 pods are ready", context.Canceled},
		{"old pods", `"observedGeneration":3,"replicas":3,"updatedReplicas":2,"availableReplicas":2`, "1 old pods drain", context.Canceled},
		{"too slow", `"observedGeneration":3,"updatedReplicas":1,"conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"has timed out"}]`, "1 of 2 new pods are made", deploy.ErrRollout},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("ANSWERS", dir)
			for kind, text := range map[string]string{
				"deployment": `{"metadata":{"name":"orders","uid":"d","generation":3},"spec":{"replicas":2},"status":{` + test.status + `}}`, "replicasets": `{}`, "pods": `{}`,
			} {
				if err := os.WriteFile(filepath.Join(dir, kind), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			state, err := demo.Rollout(ctx, "orders", deploy.Watch{Interval: time.Hour, Progress: func(string) { time.AfterFunc(200*time.Millisecond, cancel) }})
			if state != test.state || !errors.Is(err, test.err) {
				t.Errorf("got %q, %v, want %q, %v", state, err, test.state, test.err)
			}
		})
	}
}

// TestAdviceForAPrivateRegistry: the words are containerd's and those of the registries.
func TestAdviceForAPrivateRegistry(t *testing.T) {
	playKubectl(t)
	dir := t.TempDir()
	t.Setenv("ANSWERS", dir)
	for _, message := range []string{
		"failed to pull and unpack image: unexpected status from HEAD request to https://registry.example.com/v2/orders/manifests/v1: 401 Unauthorized",
		"pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
		"failed to authorize: no basic auth credentials",
	} {
		for kind, text := range map[string]string{
			"deployment":  `{"metadata":{"name":"orders","uid":"d"}}`,
			"replicasets": `{"items":[{"metadata":{"name":"orders-1","uid":"r","ownerReferences":[{"uid":"d"}]}}]}`,
			"pods":        `{"items":[{"metadata":{"name":"orders-1-x","ownerReferences":[{"uid":"r"}]},"status":{"containerStatuses":[{"name":"orders","state":{"waiting":{"reason":"ErrImagePull","message":"` + message + `"}}}]}}]}`,
			"events":      `{}`,
		} {
			if err := os.WriteFile(filepath.Join(dir, kind), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		failure := demo.Explain(t.Context(), "orders", deploy.ErrRollout)
		if advice := strings.Join(failure.Advice, "\n"); !strings.Contains(advice, "image.pullSecrets") {
			t.Errorf("%s: %q", message, advice)
		}
	}
}
