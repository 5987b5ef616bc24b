package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/fault"
	"github.com/countersign-dev/countersign/cognito"
)

// cloudFile is what the runs destroy.
const cloudFile = `
service: {name: orders}
pool: {region: ap-southeast-1, domain: orders-cut}
resource: {identifier: https://orders.example.com, scopes: [{name: orders.read}]}
clients: [{name: reader, scopes: [orders.read], secret: {secretsManager: orders/reader}}]
image: {repository: 123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/orders}
kubernetes: {context: eks-demo}
`

// cloud plays Amazon ECR with one repository and Secrets Manager with the clients' secrets, beside the issuer.
type cloud struct {
	mu         sync.Mutex
	repository bool
	made       string // the service that the repository is tagged with
	secrets    map[string]map[string]any
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var in struct {
		SecretId, Name, SecretString string
		Tags                         []map[string]string
		Force                        bool
	}
	json.NewDecoder(r.Body).Decode(&in)
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	secret := c.secrets[in.SecretId]
	var out any = struct{}{}
	refusal := ""
	switch action {
	case "ListTagsForResource", "ListImages", "DeleteRepository":
		if !c.repository {
			refusal = "RepositoryNotFoundException"
		} else if action == "ListTagsForResource" {
			out = map[string]any{"tags": []any{map[string]string{"Key": "countersign:service", "Value": c.made}}}
		} else if action == "ListImages" {
			out = map[string]any{"imageIds": []any{map[string]string{"imageDigest": "sha256:1"}}}
		} else if c.repository = !in.Force; c.repository {
			refusal = "RepositoryNotEmptyException"
		}
	case "CreateSecret":
		c.secrets[in.Name] = map[string]any{"ARN": in.Name, "Name": in.Name, "Tags": in.Tags, "value": in.SecretString}
		out = c.secrets[in.Name]
	case "DescribeSecret", "GetSecretValue", "DeleteSecret":
		if secret == nil {
			refusal = "ResourceNotFoundException"
		} else if out = secret; action == "DeleteSecret" {
			secret["DeletedDate"] = 1798761600
			out = map[string]any{"Name": in.SecretId, "DeletionDate": 1798761600}
		}
	default:
		refusal = "InvalidAction"
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if refusal != "" {
		w.Header().Set("X-Amzn-Errortype", refusal)
		w.WriteHeader(http.StatusBadRequest)
	}
	json.NewEncoder(w).Encode(out)
}

// doomed is a system with everything that destroy removes. Its commands are processes of their own, as a user's are.
type doomed struct{ *cutSystem }

func (s doomed) run(args ...string) (int, string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "countersign", append(args, "--file", filepath.Join(s.dir, "countersign.yaml"))...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// mustRun is run where nothing is spoilt. As the SDK does by itself, it takes a lost connection for no answer.
func (s doomed) mustRun(args ...string) string {
	s.t.Helper()
	s.t.Setenv("AWS_MAX_ATTEMPTS", "3")
	defer s.t.Setenv("AWS_MAX_ATTEMPTS", "1")
	s.proxy.Arm("", 0)
	code, out := s.run(args...)
	if code != 0 {
		s.t.Fatalf("%q: exit code %d\n%s", args, code, out)
	}
	return out
}

func newDoomed(t *testing.T) (doomed, *cloud) {
	t.Helper()
	s := doomed{newCutSystem(t, cloudFile)}
	c := &cloud{repository: true, made: "orders", secrets: map[string]map[string]any{}}
	beside := httptest.NewServer(c)
	t.Cleanup(beside.Close)
	other, err := url.Parse(beside.URL)
	if err != nil {
		t.Fatal(err)
	}
	issuer := s.proxy.Route
	s.proxy.Route = func(r *http.Request) *url.URL {
		target := r.Header.Get("X-Amz-Target")
		if strings.HasPrefix(target, "secretsmanager") || strings.HasPrefix(target, "AmazonEC2ContainerRegistry") {
			return other
		}
		return issuer(r)
	}
	kube := filepath.Join(s.dir, "kube")
	t.Setenv("KUBE", kube)
	labels := `"labels":{"app.kubernetes.io/name":"orders","app.kubernetes.io/managed-by":"countersign"}`
	for name, text := range map[string]string{
		"config-get-contexts": "eks-demo\n", "get-namespace": `{"metadata":{"name":"orders",` + labels + `}}`, "get-deployments": `{"items":[]}`,
		"get-ingress": `{"items":[{"kind":"Ingress","metadata":{"name":"orders",` + labels + `}}]}`,
	} {
		if err := os.MkdirAll(kube, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(kube, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A pool whose creation was not answered is found by the next run: CreateUserPool is never asked again by itself.
	for range 3 {
		if code, _ := s.run("provision", "--yes"); code == 0 {
			return s, c
		}
	}
	t.Fatal("nothing could be made")
	return s, c
}

// checkGone looks for what is left.
func checkGone(t *testing.T, s doomed, c *cloud) {
	t.Helper()
	pools, err := s.service.ListUserPools(t.Context(), cognito.ListUserPoolsInput{MaxResults: 60})
	if err != nil || len(pools.UserPools) > 0 {
		t.Errorf("pools are left: %+v, %v", pools.UserPools, err)
	}
	if c.repository || c.secrets["orders/reader"]["DeletedDate"] == nil {
		t.Errorf("the repository is left: %t; the secret is %v", c.repository, c.secrets["orders/reader"]["DeletedDate"])
	}
	calls, err := os.ReadFile(filepath.Join(s.dir, "kube", "calls"))
	if err != nil {
		t.Fatal(err)
	}
	ingress, namespace := strings.Index(string(calls), "delete ingress"), strings.Index(string(calls), "delete namespace")
	if ingress < 0 || namespace < ingress || strings.Count(string(calls), " delete ") != 2 {
		t.Errorf("kubectl was asked\n%s", calls)
	}
}

// TestDestroyIsCutAnywhere spoils each call of AWS in turn: the next run finishes what the spoilt one began.
func TestDestroyIsCutAnywhere(t *testing.T) {
	args := []string{"destroy", "--yes", "--delete-images", "--delete-pool"}
	s, c := newDoomed(t)
	s.mustRun(args...)
	checkGone(t, s, c)
	calls := s.proxy.Calls()
	if len(calls) < 8 {
		t.Fatalf("only these calls were made: %v", calls)
	}
	for _, kind := range []fault.Kind{fault.Cut, fault.CutAfter} { // what was not done, and what was
		for n, call := range calls {
			t.Run(fmt.Sprintf("call %d %s %s", n+1, call, kind), func(t *testing.T) {
				s, c := newDoomed(t)
				s.proxy.Arm(kind, n+1)
				code, out := s.run(args...)
				if !s.proxy.Hit() && code == 0 { // a connection that was lost before is a cut too
					t.Fatalf("call %d was not made:\n%s", n+1, out)
				}
				if code == 0 && !strings.HasPrefix(call, "GET ") { // a GET is asked again by itself
					t.Errorf("the cut is not noticed:\n%s", out)
				}
				s.mustRun(args...)
				checkGone(t, s, c)
				if out := s.mustRun(args...); strings.Contains(out, "  - ") {
					t.Errorf("the third run removes something:\n%s", out)
				}
			})
		}
	}
}

// TestDestroyLeavesWhatIsAnothers: another environment's secret, whose pool is there, and a repository that was made for another service.
func TestDestroyLeavesWhatIsAnothers(t *testing.T) {
	s, c := newDoomed(t)
	c.made = "stock"
	s.write(strings.Replace(cloudFile, "domain: orders-cut", "name: orders-staging, domain: orders-staging", 1))
	s.proxy.Arm("", 0)
	code, out := s.run("destroy", "--yes", "--keep", "kubernetes", "--delete-images", "--delete-pool")
	if code != 1 || c.secrets["orders/reader"]["DeletedDate"] != nil || !c.repository {
		t.Errorf("exit code %d; the repository is left: %t; the secret: %v", code, c.repository, c.secrets["orders/reader"])
	}
	for _, want := range []string{
		"left       the secret orders/reader: it holds the credentials of a client of user pool ap-southeast-1_", ", which is not this environment's",
		"/orders: it is not tagged countersign:service=orders: countersign did not make it for this service",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

// TestDestroyLeavesTheSecretsOfAPoolThatStays: callers elsewhere go on with them. They go with the pool.
func TestDestroyLeavesTheSecretsOfAPoolThatStays(t *testing.T) {
	s, c := newDoomed(t)
	s.proxy.Arm("", 0)
	const stays = "left       the secret orders/reader: the user pool stays, and with it the client whose credentials these are"
	for _, tt := range []struct {
		args string
		code int
	}{
		{"destroy --yes --delete-images", 1}, // its deletion protection is on
		{"destroy --yes --delete-images --keep pool", 0},
		{"destroy --yes --delete-images --delete-pool --keep pool", 0},
	} {
		code, out := s.run(strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(out, stays) || c.secrets["orders/reader"]["DeletedDate"] != nil {
			t.Errorf("%s: exit code %d, the secret goes on %v\n%s", tt.args, code, c.secrets["orders/reader"]["DeletedDate"], out)
		}
	}
	s.mustRun("destroy", "--yes", "--delete-pool")
	if c.secrets["orders/reader"]["DeletedDate"] == nil {
		t.Error("the pool goes, and the secret stays")
	}
}
