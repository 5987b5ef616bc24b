package registry

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// The host is recognised by its name, as Amazon's. The password is the one that moto gives out, always; its hash is what a registry has.
const (
	ecrHost      = "123456789012.dkr.ecr.ap-southeast-1.amazonaws.com"
	ecrPassword  = "123456789012-auth-token"
	ecrPasswords = "AWS:$2y$05$463DBl1ktOz.c2B8MD03UejexY9LMOLnqlakm.UTsqDGWeCCOdbom\n"
)

// TestECR pushes to a registry behind the API of Amazon ECR as moto plays it. The program has nothing of a test in it: the environment says where
// the API is, and a proxy where the host.
func TestECR(t *testing.T) {
	api, env := startECR(t)
	push := []string{"image", "--repository", ecrHost + "/shop/demo", "--push", "--tag", "v1", "./examples/demo/cmd/demo"}
	code, reference, said := countersign(t, repository, env, push...)
	if code != 0 || !strings.HasPrefix(reference, ecrHost+"/shop/demo@sha256:") || !strings.Contains(said, "repository made: images are scanned, tags immutable") {
		t.Fatalf("exit code %d: %s\n%s", code, reference, said)
	}
	if strings.Contains(said+reference, ecrPassword) {
		t.Error("the password is in the output")
	}
	checkRepository(t, api)
	code, again, said := countersign(t, repository, env, push...)
	if code != 0 || again != reference || !strings.Contains(said, "has it already") || strings.Contains(said, "repository made") {
		t.Errorf("the second time, exit code %d: %s\n%s", code, again, said)
	}
}

// startECR starts moto and a registry behind it, and returns moto's address with the variables that lead the program to both.
func startECR(t *testing.T) (api string, env []string) {
	t.Helper()
	api = serve(t, regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`), need(t, "moto_server"), "-H", "127.0.0.1", "-p", "0")
	cert, key := certificate(t, ecrHost)
	dir := t.TempDir()
	registry := startRegistry(t, "http: {addr: '127.0.0.1:0', tls: {certificate: "+cert+", key: "+key+"}}\n"+
		"auth: {htpasswd: {realm: ecr, path: "+writeFile(t, dir, "htpasswd", ecrPasswords)+"}}\n")
	return api, []string{
		"AWS_ENDPOINT_URL=" + api, "AWS_ACCESS_KEY_ID=testing", "AWS_SECRET_ACCESS_KEY=testing", "AWS_SESSION_TOKEN=", "AWS_PROFILE=",
		"HTTPS_PROXY=" + proxyTo(t, registry), "NO_PROXY=", "SSL_CERT_FILE=" + cert, "DOCKER_CONFIG=" + dir,
	}
}

// checkRepository asks moto what the program made.
func checkRepository(t *testing.T, api string) {
	t.Helper()
	var found struct {
		Repositories []struct {
			ImageTagMutability         string
			ImageScanningConfiguration struct{ ScanOnPush bool }
		}
	}
	ask(t, api, "DescribeRepositories", map[string]any{"repositoryNames": []string{"shop/demo"}}, &found)
	if len(found.Repositories) != 1 || found.Repositories[0].ImageTagMutability != "IMMUTABLE" || !found.Repositories[0].ImageScanningConfiguration.ScanOnPush {
		t.Errorf("%+v", found)
	}
}

// ask calls moto's ECR, as nobody whose signature it would check.
func ask(t *testing.T, api, action string, input, into any) {
	t.Helper()
	body, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921."+action)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=testing/20260101/ap-southeast-1/ecr/aws4_request, SignedHeaders=host, Signature=0")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", action, res.Status, err)
	}
}

// TestLogin pushes to a registry with passwords: first as nobody, then with what docker login leaves behind.
func TestLogin(t *testing.T) {
	dir := t.TempDir()
	host := startRegistry(t, "auth: {htpasswd: {realm: ecr, path: "+writeFile(t, dir, "htpasswd", ecrPasswords)+"}}\n")
	push := []string{"image", "--repository", host + "/shop/demo", "--push", "--tag", "v1", "--platform", "linux/amd64", "./examples/demo/cmd/demo"}
	env := []string{"DOCKER_CONFIG=" + dir, "REGISTRY_AUTH_FILE=" + dir + "/none"}
	code, _, said := countersign(t, repository, env, push...)
	if code != 2 || !strings.Contains(said, "does not know you; log in first, with: docker login "+host) {
		t.Errorf("without a login, exit code %d\n%s", code, said)
	}
	config, err := json.Marshal(map[string]any{"auths": map[string]any{host: map[string]string{"username": "AWS", "password": ecrPassword}}})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "config.json", string(config))
	if code, _, said := countersign(t, repository, env, push...); code != 0 {
		t.Errorf("with a login, exit code %d\n%s", code, said)
	}
}
