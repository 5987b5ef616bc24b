package registry

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPushAndPull pushes to docker-registry and reads what is there, over HTTP as the specification has it.
func TestPushAndPull(t *testing.T) {
	host := startRegistry(t, "")
	alone := []string{"GOWORK=off"} // a workspace is a part of what is built: the copy has none
	reference := mustRun(t, repository, alone, "image", "--repository", host+"/shop/demo", "--push", "--tag", "v1", "./examples/demo/cmd/demo")
	_, digest, found := strings.Cut(reference, host+"/shop/demo@")
	if !found {
		t.Fatalf("the reference is %q", reference)
	}
	var index manifest
	get(t, "http://"+host+"/v2/shop/demo/manifests/"+digest, &index)
	if len(index.Manifests) != 2 || index.Manifests[0].Platform.Architecture != "amd64" || index.Manifests[1].Platform.Architecture != "arm64" {
		t.Fatalf("%+v", index)
	}
	for _, child := range index.Manifests {
		checkBill(t, host, child.Digest)
	}
	// A second build, of a copy of the source in another directory, is the same image: nothing is uploaded.
	code, again, said := countersign(t, copyOf(t), alone, "image", "--repository", host+"/shop/demo", "--push", "--tag", "v1", "./examples/demo/cmd/demo")
	if code != 0 || again != reference || !strings.Contains(said, "the registry has it already, as tag v1") {
		t.Errorf("exit code %d: %s, want %s\n%s", code, again, reference, said)
	}
}

type descriptor struct {
	Digest, ArtifactType, MediaType string
	Platform                        struct{ Architecture, OS string }
}

// manifest is what an index and an image manifest have, as far as the tests look.
type manifest struct {
	Manifests, Layers []descriptor
	ArtifactType      string
	Subject           descriptor
}

// checkBill finds the bill of materials of an image by the tag that stands in for the referrers API, which this registry does not have.
func checkBill(t *testing.T, host, subject string) {
	t.Helper()
	var referrers, artifact manifest
	get(t, "http://"+host+"/v2/shop/demo/manifests/"+strings.Replace(subject, ":", "-", 1), &referrers)
	if len(referrers.Manifests) != 1 || referrers.Manifests[0].ArtifactType != "application/vnd.cyclonedx+json" {
		t.Fatalf("referrers of %s: %+v", subject, referrers)
	}
	get(t, "http://"+host+"/v2/shop/demo/manifests/"+referrers.Manifests[0].Digest, &artifact)
	if artifact.Subject.Digest != subject || len(artifact.Layers) != 1 {
		t.Fatalf("%+v", artifact)
	}
	var bill struct {
		BomFormat, SpecVersion string
		Components             []struct{ Name, Version, Purl string }
	}
	get(t, "http://"+host+"/v2/shop/demo/blobs/"+artifact.Layers[0].Digest, &bill)
	if bill.BomFormat != "CycloneDX" || bill.SpecVersion != "1.6" || len(bill.Components) == 0 || !strings.HasPrefix(bill.Components[0].Purl, "pkg:golang/std@1.") {
		t.Errorf("%+v", bill)
	}
}

func get(t *testing.T, url string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v\n%s", url, res.Status, err, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatal(err)
	}
}

// copyOf copies the library and its examples elsewhere.
func copyOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("git", "-C", repository, "ls-files", "-z", "--", "*.go", "go.mod", ":!cmd", ":!e2e", ":!*_test.go").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, dir, name, string(text))
	}
	return dir
}
