package image_test

import (
	"archive/tar"
	"crypto/x509"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestContents looks into the image as a container runtime would find it.
func TestContents(t *testing.T) {
	built := orders(t)
	dir := t.TempDir()
	for range 2 { // the second time, what the tag named is replaced
		if err := built.WriteLayout(dir, "v1"); err != nil {
			t.Fatal(err)
		}
	}
	root, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := root.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 3 || manifest.Manifests[2].Annotations["org.opencontainers.image.ref.name"]+manifest.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "v1" {
		t.Fatalf("want the index and two bills of materials, got %+v", manifest.Manifests)
	}
	hash, err := v1.NewHash(built.Digest)
	if err != nil {
		t.Fatal(err)
	}
	index, err := root.ImageIndex(hash)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	for _, platform := range built.Platforms {
		hash, err := v1.NewHash(platform.Digest)
		if err != nil {
			t.Fatal(err)
		}
		one, err := index.Image(hash)
		if err != nil {
			t.Fatal(err)
		}
		checkConfig(t, one, platform.Platform)
		checkFiles(t, one)
	}
}

func checkConfig(t *testing.T, one v1.Image, platform string) {
	t.Helper()
	config, err := one.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got := config.OS + "/" + config.Architecture; got != platform {
		t.Errorf("platform %s, want %s", got, platform)
	}
	if !slices.Equal(config.Config.Entrypoint, []string{"/app/orders"}) || config.Config.User != "65532:65532" || config.Created.Unix() != 0 {
		t.Errorf("%s: %+v, created %s", platform, config.Config, config.Created)
	}
	if _, exposed := config.Config.ExposedPorts["8080/tcp"]; !exposed || config.Config.Labels["org.opencontainers.image.title"] != "orders" {
		t.Errorf("%s: %+v", platform, config.Config)
	}
}

func checkFiles(t *testing.T, one v1.Image) {
	t.Helper()
	files := map[string]*tar.Header{}
	var certificates []byte
	r := tar.NewReader(mutate.Extract(one))
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if header.Name == "etc/ssl/certs/ca-certificates.crt" {
			if certificates, err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
		files[strings.TrimSuffix(header.Name, "/")] = header
	}
	for name, want := range map[string]struct {
		mode  int64
		owner int
	}{
		"app/orders": {0o555, 0}, "app": {0o755, 0}, "tmp": {0o1777, 0}, "etc/passwd": {0o444, 0}, "etc/group": {0o444, 0},
		"home/nonroot": {0o700, 65532}, "usr/share/zoneinfo/Asia/Singapore": {0o444, 0},
	} {
		if got := files[name]; got == nil || got.Mode != want.mode || got.Uid != want.owner || got.Gid != want.owner || got.ModTime.Unix() != 0 || got.Uname != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificates) || strings.Count(string(certificates), "BEGIN CERTIFICATE") < 100 {
		t.Errorf("the list of certificates has %d bytes", len(certificates))
	}
}

func TestTarballIsLoaded(t *testing.T) {
	built := orders(t)
	file := filepath.Join(t.TempDir(), "orders.tar")
	platform, err := built.WriteTarball(file, "v1")
	if err != nil {
		t.Fatal(err)
	}
	one, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(one); err != nil {
		t.Error(err)
	}
	checkConfig(t, one, platform)
	if err := built.WriteLayout(t.TempDir(), "v1 "); err == nil || !strings.Contains(err.Error(), `tag "v1 "`) {
		t.Errorf("a tag with a space: %v", err)
	}
}
