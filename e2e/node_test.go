package e2e

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// nodeFaults are the twins of testdata/node/service.mjs, and a case that must name the fault of each.
var nodeFaults = map[string]struct{ route, name string }{
	"signature not verified":    {"GET /api/orders", "bad token signature spoilt"},
	"alg none":                  {"GET /api/orders", "bad token alg none"},
	"key confusion":             {"GET /api/orders", "bad token HS256 with the public PEM"},
	"embedded jwk":              {"GET /api/orders", "bad token embedded jwk"},
	"trusts the proxy's header": {"POST /api/orders", "401 token in a header of a proxy"},
	"scope as a substring":      {"GET /api/orders", "403 with only https://api.example.com/demo.write"},
	"any scope for all":         {"DELETE /api/orders/{order_id}", "403 with only https://api.example.com/demo.read"},
	"no scope looked at":        {"POST /api/orders", "403 with only https://api.example.com/demo.read"},
	"challenge without scope":   {"GET /api/orders", "403 with only https://api.example.com/demo.write"},
	"403 without challenge":     {"GET /api/orders", "403 with only https://api.example.com/demo.write"},
	"path in any case":          {"GET /api/orders", "no token, path in capitals"},
	"double slash":              {"GET /api/orders", "no token, double slash"},
	"method override":           {"GET /api/orders/{order_id}", "no token, method override"},
	"HEAD not guarded":          {"GET /api/orders", "401 no token, HEAD"},
	"not found before refused":  {"GET /api/orders/{order_id}", "401 no token"},
	"one route forgotten":       {"DELETE /api/orders/{order_id}", "401 no token"},
	"HTML for JSON":             {"GET /api/orders/{order_id}", "allowed with https://api.example.com/demo.read"},
}

// TestNodeService proves a service that has no Go in it, from the OpenAPI document of its team, with clients of an issuer that the
// prover knows by its URL alone. The correct service has no difference, and each twin the one that was planted.
func TestNodeService(t *testing.T) {
	need(t, "node")
	s := newSystem(t)
	env := s.start()
	callers := nodeCallers(t, env)
	names := []string{""}
	for name := range nodeFaults {
		names = append(names, name)
	}
	ports := startNode(t, lookup(t, env, "COUNTERSIGN_ISSUER"), names)
	for _, name := range names {
		t.Run("fault "+name, func(t *testing.T) {
			code, rows := s.proveNode(callers, env, ports[name].String())
			var different []proofRow
			for _, row := range rows {
				switch row.State {
				case "different":
					different = append(different, row)
				case "not run":
					t.Errorf("%+v", row)
				}
			}
			fault, planted := nodeFaults[name]
			if !planted {
				if code != 0 || len(different) > 0 || len(rows) < 500 {
					t.Errorf("the correct service: exit code %d, %d cases, differences %+v", code, len(rows), different)
				}
				return
			}
			if code != 1 || !slices.ContainsFunc(different, func(r proofRow) bool { return r.Route == fault.route && r.Case == fault.name }) {
				t.Errorf("exit code %d; %s / %s is not among the differences %+v", code, fault.route, fault.name, different)
			}
		})
	}
}

// proofRow is what is wanted of a row of the JSON report.
type proofRow struct {
	Route, Case, State, Got, Note string
}

// proveNode proves the twin at a port. The state directory is one on which nothing runs.
func (s *system) proveNode(callers string, env []string, port string) (code int, rows []proofRow) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.bin, "prove", "http://localhost:"+port+"/api",
		"--policy", filepath.Join("testdata", "node", "openapi.yaml"), "--clients", callers, "--issuer", lookup(s.t, env, "COUNTERSIGN_ISSUER"),
		"--state", filepath.Join(s.t.TempDir(), "none"), "--format", "json")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		s.t.Fatal(err)
	}
	var report struct{ Rows []proofRow }
	if err := json.Unmarshal(out, &report); err != nil {
		s.t.Fatalf("exit code %d, %v\n%s", code, err, &stderr)
	}
	return code, report.Rows
}

// nodeCallers writes the file of clients that a user would write.
func nodeCallers(t *testing.T, env []string) string {
	t.Helper()
	clients := map[string]any{}
	for name, variable := range map[string]string{"reader": "CLIENT_CREDENTIALS_READ", "writer": "CLIENT_CREDENTIALS_WRITE"} {
		pair, err := base64.StdEncoding.DecodeString(lookup(t, env, variable))
		if err != nil {
			t.Fatal(err)
		}
		id, secret, _ := strings.Cut(string(pair), ":")
		clients[name] = map[string]any{"client_id": id, "client_secret": secret}
	}
	data, err := json.Marshal(map[string]any{"clients": clients})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "clients.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// startNode runs the service and its twins, and returns their ports.
func startNode(t *testing.T, issuer string, faults []string) map[string]json.Number {
	t.Helper()
	list, err := json.Marshal(faults)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", filepath.Join("testdata", "node", "service.mjs"))
	node.Env = append(os.Environ(), "ISSUER="+issuer, "FAULTS="+string(list))
	var stderr strings.Builder
	node.Stderr = &stderr
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		node.Process.Kill()
		node.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	var ports map[string]json.Number
	if err != nil || json.Unmarshal([]byte(line), &ports) != nil || len(ports) != len(faults) {
		t.Fatalf("the service did not start: %v\n%s%s", err, line, &stderr)
	}
	return ports
}

// lookup is the value of a variable in an environment.
func lookup(t *testing.T, env []string, name string) string {
	t.Helper()
	for _, pair := range env {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	t.Fatalf("the environment has no %s", name)
	return ""
}
