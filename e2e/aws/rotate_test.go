package aws

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/fault"
)

const rotateFile = `
service: {name: orders}
pool: {region: ap-southeast-1, domain: orders-rotated}
resource:
  identifier: https://orders.example.com
  scopes: [{name: orders.read, description: Read orders}]
clients:
  - {name: reader, scopes: [orders.read], secret: {secretsManager: orders/reader}}
`

// startDev starts the local system and returns the issuer's address and AWS's variables for it.
func startDev(t *testing.T) (*url.URL, []string) {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(t.TempDir(), "state")
	dev := exec.Command(bin, "dev", "--quiet", "--state", state, "--api-addr=localhost:0", "--edge-addr=localhost:0", "--issuer-addr=localhost:0")
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		dev.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(20*time.Second, func() { dev.Process.Kill() })
		defer kill.Stop()
		dev.Wait()
	})
	out, err := exec.Command(bin, "env", "--wait", "60s", "--state", state).Output()
	if err != nil {
		t.Fatalf("env: %v", err)
	}
	values := map[string]string{}
	for _, found := range regexp.MustCompile(`(?m)^export (\w+)='([^']*)'$`).FindAllStringSubmatch(string(out), -1) {
		values[found[1]] = found[2]
	}
	address, err := url.Parse(values["AWS_ENDPOINT_URL"])
	if err != nil || address.Host == "" {
		t.Fatalf("env does not say where the issuer is: %v", err)
	}
	return address, []string{"AWS_ACCESS_KEY_ID=" + values["AWS_ACCESS_KEY_ID"], "AWS_SECRET_ACCESS_KEY=" + values["AWS_SECRET_ACCESS_KEY"]}
}

// TestRotateInSecretsManager rotates a secret of the local issuer that is stored in Secrets Manager as moto plays it, and cuts
// each rotation at each of its calls. Before and after every call the current version of the secret is tried at the issuer: at
// no moment may it fail. The next run ends with one secret.
func TestRotateInSecretsManager(t *testing.T) {
	m := moto{t, startMoto(t)}
	issuer, keys := startDev(t)
	proxy := fault.New(issuer)
	proxy.Route = func(r *http.Request) *url.URL {
		if strings.HasPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.") {
			return m.url
		}
		return issuer
	}
	p := newPlace(t, rotateFile, proxy, keys...)
	p.mustRun("provision", "--yes")
	proxy.Watch = func() {
		if !works(t, m.credential("orders/reader")) {
			t.Error("there is a moment at which the stored credential does not work")
		}
	}
	rotate := []string{"rotate", "reader", "--soak", "0s", "--patience", "5s"}
	before := m.credential("orders/reader")
	p.mustRun(rotate...)
	calls := proxy.Calls()
	p.rotated(m, before)
	cuts := 0
	for n, call := range calls {
		for _, kind := range kinds(call) {
			t.Run(fmt.Sprintf("call %d %s %s", n+1, call, kind), func(t *testing.T) {
				m, p := moto{t, m.url}, *p
				p.t = t
				before := m.credential("orders/reader")
				p.cut(kind, n+1, rotate...)
				p.mustRun(rotate...)
				p.rotated(m, before)
			})
			cuts++
		}
	}
	contains(t, p.mustRun("provision", "--plan"), "nothing to change")
	t.Logf("%d cuts of %d calls: %s", cuts, len(calls), strings.Join(calls, " "))
}

// rotated checks the end of a rotation: the new secret alone, and no version that waits to be the next.
func (p *place) rotated(m moto, before map[string]any) {
	p.t.Helper()
	now := m.credential("orders/reader")
	switch {
	case now["client_secret"] == before["client_secret"] || now["client_secret_2"] != nil || now["rotation"] != nil:
		p.t.Error("the stored credential is not the new one alone")
	case !works(p.t, now):
		p.t.Error("the stored credential does not work")
	case works(p.t, before):
		p.t.Error("the old secret still works")
	}
	versions, _ := m.secrets("DescribeSecret", `{"SecretId":"orders/reader"}`)["VersionIdsToStages"].(map[string]any)
	for id, stages := range versions {
		if all, _ := stages.([]any); slices.Contains(all, any("AWSPENDING")) {
			p.t.Errorf("version %s of the secret is still AWSPENDING", id)
		}
	}
}

// works asks for a token with the first secret, past the proxy.
func works(t *testing.T, c map[string]any) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, text(c, "token_endpoint"), strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(text(c, "client_id"), text(c, "client_secret"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// TestRotateSaysWhatIsMissing: a rotation begins with what provision has written.
func TestRotateSaysWhatIsMissing(t *testing.T) {
	m := moto{t, startMoto(t)}
	p := newPlace(t, rotateFile, fault.New(m.url))
	code, out := p.run("rotate", "reader")
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	contains(t, out, `there is no user pool "orders" yet; make it with: countersign provision`)
	if _, err := os.Stat(filepath.Join(p.dir, ".countersign")); err == nil {
		t.Error("a rotation that did not begin has written something")
	}
}
