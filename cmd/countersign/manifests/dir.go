package manifests

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/countersign-dev/countersign/cmd/countersign/wholefile"
)

// kustomizationFile is the name that Kustomize looks for.
const kustomizationFile = "kustomization.yaml"

// header begins a kustomization that [WriteDir] wrote. Without it a file is somebody's own and is not touched.
const header = "# Written by countersign manifests. Keep changes in an overlay: the next run replaces this directory's files.\n"

type kustomization struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Resources  []string `yaml:"resources"`
}

// WriteDir writes each object into a file of its own, and a kustomization.yaml that names them in their order. Files of an
// earlier run that are no longer needed are removed; what WriteDir did not write is left alone, and is an error where it is in
// the way. It returns the names of the files that it wrote, and of those that it removed.
func WriteDir(dir string, objects []Object) (written, removed []string, err error) {
	earlier, err := earlierFiles(dir)
	if err != nil {
		return nil, nil, err
	}
	files := map[string][]byte{}
	for _, o := range objects {
		name := fileName(o)
		if _, twice := files[name]; twice {
			return nil, nil, fmt.Errorf("manifests: two objects would be %s", name)
		}
		files[name] = o.YAML
		written = append(written, name)
	}
	if err := inTheWay(dir, written, earlier); err != nil {
		return nil, nil, err
	}
	list, err := dump(kustomization{"kustomize.config.k8s.io/v1beta1", "Kustomization", written})
	if err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	for _, name := range written {
		if err := replaceFile(filepath.Join(dir, name), files[name]); err != nil {
			return nil, nil, err
		}
	}
	for _, name := range earlier {
		if slices.Contains(written, name) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		removed = append(removed, name)
	}
	// Last: it names the files, so that an interrupted run leaves the earlier list, and the next one knows what is its own.
	err = replaceFile(filepath.Join(dir, kustomizationFile), append([]byte(header), list...))
	return append(written, kustomizationFile), removed, err
}

// fileName is kind and name: a service's own objects go by their kind alone.
func fileName(o Object) string {
	kind := strings.ToLower(o.Kind)
	if (o.Kind == "NetworkPolicy" && o.Name == DefaultDeny) || o.Kind == "ExternalSecret" {
		return kind + "-" + o.Name + ".yaml"
	}
	return kind + ".yaml"
}

// earlierFiles are the files that an earlier run wrote there, by its own list.
func earlierFiles(dir string) ([]string, error) {
	path := filepath.Join(dir, kustomizationFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(data, []byte(header)) {
		return nil, fmt.Errorf("%s was not written by countersign manifests; name another directory, and its path among the resources of that file", path)
	}
	var list kustomization
	if err := yaml.Load(data, &list); err != nil {
		return nil, fmt.Errorf("%s: %w; remove the file to have it written anew", path, err)
	}
	for _, name := range list.Resources {
		// A name with a slash was added by hand, and may lead anywhere.
		if name != filepath.Base(name) || filepath.Ext(name) != ".yaml" {
			return nil, fmt.Errorf("%s lists %s, which countersign manifests did not write; keep changes in an overlay", path, name)
		}
	}
	return list.Resources, nil
}

func inTheWay(dir string, names, ours []string) error {
	for _, name := range names {
		if slices.Contains(ours, name) {
			continue
		}
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return fmt.Errorf("%s is there already and was not written by countersign manifests; name another directory", filepath.Join(dir, name))
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// replaceFile leaves a file alone that has the content already.
func replaceFile(path string, data []byte) error {
	if earlier, err := os.ReadFile(path); err == nil && bytes.Equal(earlier, data) {
		return nil
	}
	return wholefile.Replace(path, data, 0o644)
}
