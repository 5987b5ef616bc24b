package manifests_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/manifests"
)

func TestWriteDirReplacesItsOwnFilesOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deploy", "base")
	full, minimal := render(t, load(t, "testdata/full.good.yaml")), render(t, load(t, "testdata/minimal.good.yaml"))
	written, removed, err := manifests.WriteDir(dir, full)
	if err != nil || len(removed) != 0 || len(written) != len(full)+1 {
		t.Fatalf("wrote %q, removed %q, %v", written, removed, err)
	}
	mine := filepath.Join(dir, "mine.yaml")
	if err := os.WriteFile(mine, []byte("kind: Mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, removed, err = manifests.WriteDir(dir, minimal)
	if err != nil || !slices.Equal(removed, []string{"secretproviderclass.yaml", "ingress.yaml"}) {
		t.Fatalf("removed %q, %v", removed, err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(minimal)+2 {
		t.Errorf("%d entries, %v: a temporary file is left, or one is missing", len(entries), err)
	}
}

// TestWriteDirFollowsNoList holds that a list that was changed by hand leads to no file elsewhere.
func TestWriteDirFollowsNoList(t *testing.T) {
	for _, entry := range []string{"../outside.yaml", "/etc/outside.yaml", "sub/inside.yaml", "notes.txt", ".."} {
		t.Run(entry, func(t *testing.T) {
			parent := t.TempDir()
			dir, outside := filepath.Join(parent, "base"), filepath.Join(parent, "outside.yaml")
			minimal := render(t, load(t, "testdata/minimal.good.yaml"))
			if _, _, err := manifests.WriteDir(dir, minimal); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(outside, nil, 0o644); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "kustomization.yaml")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, append(text, "- "+entry+"\n"...), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, _, err := manifests.WriteDir(dir, minimal); err == nil || !strings.Contains(err.Error(), "which countersign manifests did not write") {
				t.Errorf("error %v", err)
			}
			if _, err := os.Stat(outside); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEncodeJSONIsOneList(t *testing.T) {
	var b strings.Builder
	if err := manifests.EncodeJSON(&b, render(t, load(t, "testdata/full.good.yaml"))); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n", `"name": "LOG_LEVEL",`, `"value": "yes"`, `"containerPort": 9000`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the list lacks %q", want)
		}
	}
}
