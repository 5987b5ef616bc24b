package registry

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/e2e/program"
)

// TestDeployment has podman run the Deployment that the program writes, as it stands: image by digest, not as root, nothing writable but /tmp, no
// capabilities, bounded memory. podman knows neither Services nor probes of an image without a shell.
func TestDeployment(t *testing.T) {
	p := newPodman(t)
	host := startRegistry(t, "")
	port := program.FreePort(t)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	dir := t.TempDir()
	writeFile(t, dir, "countersign.yaml", fmt.Sprintf(`
service: {name: demo, main: ., port: %d, live: /healthz, ready: /healthz/}
pool: {region: ap-southeast-1, id: ap-southeast-1_AbCdEf123}
resource: {identifier: https://api.example.com, scopes: [{name: demo.read}]}
image: {repository: %s/shop/demo}
kubernetes: {replicas: {min: 1, max: 1}}
`, port, host))
	reference := mustRun(t, repository, nil, "image", "--repository", host+"/shop/demo", "--push", "--tag", "v1", "./examples/demo/cmd/demo")
	all := mustRun(t, dir, nil, "manifests", "--image", reference)
	_, after, found := strings.Cut(all, "apiVersion: apps/v1\nkind: Deployment\n")
	if !found {
		t.Fatalf("no Deployment:\n%s", all)
	}
	after, _, _ = strings.Cut(after, "\n---\n")
	file := writeFile(t, dir, "deployment.yaml", "apiVersion: apps/v1\nkind: Deployment\n"+after)
	p.run("pull", "--quiet", "--tls-verify=false", reference)
	p.run("play", "kube", "--tls-verify=false", file)
	await(t, "the service answers", func() bool { return healthy("http://" + address + "/healthz") })
	res, err := http.Get("http://" + address + "/api/demo/protectedRole/me")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized || res.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("without a token: %s %v", res.Status, res.Header)
	}
	id := p.run("ps", "--quiet", "--filter", "ancestor="+reference)
	if id == "" {
		t.Fatalf("no container of the image:\n%s", p.run("ps", "--all"))
	}
	hardened := p.run("inspect", "--format", "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.EffectiveCaps}}", id)
	if hardened != "65532:65532 true 134217728 []" {
		t.Errorf("it runs as %s", hardened)
	}
	p.run("play", "kube", "--down", file)
}
