package kubernetes_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// TestKustomizeBuildsTheDirectory builds what --dir wrote, and an overlay over it, with Kustomize itself.
func TestKustomizeBuildsTheDirectory(t *testing.T) {
	for _, file := range variants(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			dir := t.TempDir()
			base := filepath.Join(dir, "base")
			run(t, "manifests", "--file", file, "--image", image, "--dir", base)
			sameObjects(t, build(t, base), manifests(t, file, image))

			overlay := filepath.Join(dir, "overlay")
			write(t, filepath.Join(overlay, "kustomization.yaml"), "resources: [../base]\nimages: [{name: "+repository+", digest: "+digestOf('c')+"}]\n")
			d := only(t, build(t, overlay), "Deployment")
			if want := repository + "@" + digestOf('c'); !contains(images(t, d), want) {
				t.Errorf("the overlay leads to %q, want %s", images(t, d), want)
			}
		})
	}
}

func build(t *testing.T, dir string) []object {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return split(t, stream)
}

func sameObjects(t *testing.T, got, want []object) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d objects, want %d", len(got), len(want))
	}
	for i := range want {
		var a, b any
		if err := yaml.Unmarshal(got[i].text, &a); err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(want[i].text, &b); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s %s is another after Kustomize:\n%s\nwant:\n%s", want[i].Kind, want[i].Name, got[i].text, want[i].text)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
