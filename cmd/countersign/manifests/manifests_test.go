package manifests_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/manifests"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	digest = "sha256:3b1f0a6b9d6c2c7f4a5e8d9c0b1a2f3e4d5c6b7a8990817263544536271809fa"
	image  = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/orders@" + digest
)

// TestGolden keeps what each file leads to where it is reviewed. Without a cluster, the objects are held to Kubernetes' own
// code in e2e/kubernetes.
func TestGolden(t *testing.T) {
	for _, file := range glob(t, "testdata/*.good.yaml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			got := encode(t, render(t, load(t, file)))
			golden := strings.TrimSuffix(file, ".good.yaml") + ".golden.yaml"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v; write it with: go test ./cmd/countersign/manifests -update", err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s leads to other objects than %s has; look at the difference after: go test ./cmd/countersign/manifests -update", file, golden)
			}
			if again := encode(t, render(t, load(t, file))); !bytes.Equal(got, again) {
				t.Error("a second run gives other bytes")
			}
		})
	}
}

func load(t *testing.T, file string) *config.Config {
	t.Helper()
	cfg, err := config.Load(file, "")
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func render(t *testing.T, cfg *config.Config) []manifests.Object {
	t.Helper()
	objects, err := manifests.Options{}.Render(cfg, image)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func encode(t *testing.T, objects []manifests.Object) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := manifests.Encode(&b, objects); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// glob fails for a pattern that matches nothing: a test over no files proves nothing.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	return files
}
