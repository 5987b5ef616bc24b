package image_test

import (
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/countersign-dev/countersign/cmd/countersign/image"
)

// pushBase pushes a base image in Docker's own format, for the architectures, and returns its reference by digest.
func pushBase(t *testing.T, repository string, architectures ...string) string {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.DockerManifestList)
	for _, architecture := range architectures {
		one, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: architecture, Config: v1.Config{
			Env: []string{"PATH=/usr/bin", "SSL_CERT_FILE=/certs.pem"}, Labels: map[string]string{"base": "yes"}, Cmd: []string{"sh"}, User: "root",
		}})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			layer, err := random.Layer(512, types.DockerLayer)
			if err != nil {
				t.Fatal(err)
			}
			if one, err = mutate.AppendLayers(one, layer); err != nil {
				t.Fatal(err)
			}
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}}})
	}
	tag := mustTag(t, repository+":12")
	if err := remote.WriteIndex(tag, index); err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return repository + "@" + digest.String()
}

func TestBase(t *testing.T) {
	goAlone(t)
	s := newRegistry(t)
	base := pushBase(t, s.host()+"/base/static", "amd64", "arm64")
	built := build(t, image.Config{Package: "./cmd/orders", Dir: source(t, program), Base: base})
	pushed, err := built.Push(t.Context(), image.Registry{}, s.host()+"/shop/orders", "v1")
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.NewDigest(pushed.Reference)
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range built.Platforms {
		one, err := remote.Image(ref.Context().Digest(platform.Digest))
		if err != nil {
			t.Fatal(err)
		}
		checkOnBase(t, one, base)
	}
}

// checkOnBase looks for the layers of the base beneath the program, all in OCI's words.
func checkOnBase(t *testing.T, one v1.Image, base string) {
	t.Helper()
	manifest, err := one.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Layers) != 3 || manifest.MediaType != types.OCIManifestSchema1 || manifest.Config.MediaType != types.OCIConfigJSON {
		t.Errorf("%+v", manifest)
	}
	for _, layer := range manifest.Layers {
		if layer.MediaType != types.OCILayer {
			t.Errorf("layer of type %s", layer.MediaType)
		}
	}
	config, err := one.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	_, digest, _ := strings.Cut(base, "@")
	if got := config.Config; got.User != "65532:65532" || got.Cmd != nil || got.Env[1] != "SSL_CERT_FILE=/certs.pem" || got.Labels["base"] != "yes" ||
		got.Labels["org.opencontainers.image.base.digest"] != digest || got.Entrypoint[0] != "/app/orders" {
		t.Errorf("%+v", got)
	}
	if len(config.RootFS.DiffIDs) != 3 {
		t.Errorf("%d layers in the configuration", len(config.RootFS.DiffIDs))
	}
}

func TestBaseMistakes(t *testing.T) {
	goAlone(t)
	s := newRegistry(t)
	base := pushBase(t, s.host()+"/base/static", "amd64")
	repository, digest, _ := strings.Cut(base, "@")
	for _, test := range []struct{ base, want string }{
		{repository + ":12", "is not named by its digest, without which two builds differ: write " + repository + ":12@" + digest},
		{repository + ":13", "is not named by its digest, without which two builds differ: write name@sha256:"},
		{repository + "@sha256:beef", "base image \"" + repository + "@sha256:beef\": "},
		{repository + "@sha256:" + strings.Repeat("0", 64), "has no such image: look at its name and its digest"},
		{base, "it is not there for linux/arm64; it has linux/amd64"},
	} {
		_, err := image.Build(t.Context(), image.Config{Package: "./cmd/orders", Dir: source(t, program), Base: test.base})
		wantError(t, err, test.want)
	}
	dir := source(t, program)
	for _, one := range []string{base, strings.Replace(base, "@", ":12@", 1)} {
		build(t, image.Config{Package: "./cmd/orders", Dir: dir, Base: one, Platforms: []string{"linux/amd64"}})
	}
}
