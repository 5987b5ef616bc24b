package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

func TestAbove(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"module/cmd/orders", "module/other"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"countersign.yaml", "module/countersign.yaml", "module/go.mod", "module/other/go.mod"} {
		if err := os.WriteFile(filepath.Join(root, file), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for dir, want := range map[string]string{
		"module/cmd/orders": filepath.Join("..", "..", "countersign.yaml"),
		"module/cmd":        filepath.Join("..", "countersign.yaml"),
		"module":            "", // its own is no other one's
		"module/other":      "", // a module of its own
	} {
		t.Chdir(filepath.Join(root, dir))
		if got := config.Above(); got != want {
			t.Errorf("%s: %q, want %q", dir, got, want)
		}
	}
}
