package registry

import (
	"fmt"
	"strings"
	"testing"
)

// TestDestroy removes what image and provision made at moto: repository, secrets, domain and pool. What asks for a word of its own stays until
// the word is said, and a run that was cut off is finished by the next.
func TestDestroy(t *testing.T) {
	api, env := startECR(t)
	dir := t.TempDir()
	writeFile(t, dir, "countersign.yaml", fmt.Sprintf(`
service: {name: orders, main: .}
pool: {region: ap-southeast-1}
resource: {identifier: https://api.example.com, scopes: [{name: orders.read}]}
clients: [{name: reader, scopes: [orders.read], secret: {secretsManager: orders/reader}}]
image: {repository: %s/shop/orders, platforms: [linux/amd64]}
`, ecrHost))
	writeFile(t, dir, "go.mod", "module example.com/orders\n\ngo 1.25\n")
	writeFile(t, dir, "main.go", "package main\n\nfunc main() {}\n")
	mustRun(t, dir, env, "provision", "--yes")
	mustRun(t, dir, env, "image", "--push")
	// The registry behind moto is another program: what was pushed there, moto is told of.
	hash := "sha256:" + strings.Repeat("0", 64)
	ask(t, api, "PutImage", map[string]string{"repositoryName": "shop/orders", "imageTag": "v1", "imageManifest": fmt.Sprintf(
		`{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":1,"digest":"%s"},"layers":[]}`, hash),
	}, &struct{}{})
	code, stdout, stderr := countersign(t, dir, env, "destroy", "--yes", "--keep", "kubernetes")
	wantLines(t, code, 1, stdout, stderr, "left       the secret orders/reader: the user pool stays, and with it the client whose credentials these are",
		"left       the image repository "+ecrHost+"/shop/orders: it has 1 image; --delete-images removes them with it", "left       the user pool orders", "its deletion protection is on; --delete-pool")
	code, stdout, stderr = countersign(t, dir, env, "destroy", "--yes", "--keep", "kubernetes", "--delete-images", "--delete-pool")
	wantLines(t, code, 0, stdout, stderr, "secret     the secret orders/reader, which can be restored until 2", "images     the image repository "+ecrHost+"/shop/orders",
		"domain     the domain orders", "pool       the user pool orders")
	if domain, pool := strings.Index(stdout, "\ndomain "), strings.Index(stdout, "\npool "); domain > pool {
		t.Errorf("the pool goes before its domain:\n%s", stdout)
	}
	code, stdout, stderr = countersign(t, dir, env, "destroy", "--yes", "--keep", "kubernetes")
	wantLines(t, code, 0, stdout, stderr, "left       what runs in the cluster: --keep kubernetes", "left       the secret orders/reader: it goes on 2")
	if strings.Contains(stdout, "pool") || strings.Contains(stdout, "images") {
		t.Errorf("something came back:\n%s", stdout)
	}
}

func wantLines(t *testing.T, code, want int, stdout, stderr string, parts ...string) {
	t.Helper()
	if code != want {
		t.Fatalf("exit code %d, want %d\n%s%s", code, want, stdout, stderr)
	}
	for _, part := range parts {
		if !strings.Contains(stdout, part) {
			t.Errorf("%q is not in\n%s%s", part, stdout, stderr)
		}
	}
}
