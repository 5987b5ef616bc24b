package serve_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/serve"
)

func TestAccessKeysAreAdded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.yaml")
	first, err := serve.AddAccessKey(path, "deployer", issuer.Admin)
	if err != nil {
		t.Fatal(err)
	}
	second, err := serve.AddAccessKey(path, "", issuer.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	all, err := serve.ReadAccessKeys(path)
	if err != nil || len(all) != 2 {
		t.Fatalf("%d keys, %v", len(all), err)
	}
	if all[0].AccessKeyID != first || all[0].Name != "deployer" || all[0].Role != issuer.Admin || all[1].AccessKeyID != second || all[1].Role != issuer.ReadOnly {
		t.Errorf("got %+v", all)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	for _, bad := range []struct {
		name string
		role issuer.Role
	}{{"a b", issuer.Admin}, {"a", "root"}} {
		if id, err := serve.AddAccessKey(path, bad.name, bad.role); err == nil {
			t.Errorf("%+v became %s", bad, id)
		}
	}
}

// TestAccessKeysAreAddedAtOnce: also to a file that is not there yet, each key whose id was told is in the file.
func TestAccessKeysAreAddedAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.yaml")
	ids := make([]string, 24)
	var adding sync.WaitGroup
	for i := range ids {
		adding.Go(func() {
			var err error
			if ids[i], err = serve.AddAccessKey(path, "", issuer.ReadOnly); err != nil {
				t.Error(err)
			}
		})
	}
	adding.Wait()
	all, err := serve.ReadAccessKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, key := range all {
		there[key.AccessKeyID] = true
	}
	for _, id := range ids {
		if !there[id] {
			t.Errorf("the key %s was told, and is not in the file", id)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || runtime.GOOS != "windows" && len(entries) != 1 {
		t.Errorf("the directory has %v, %v", entries, err)
	}
}

func TestAccessKeysBehindADeadLink(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // where links are a privilege
	}
	link := filepath.Join(t.TempDir(), "link.yaml")
	if err := os.Symlink(filepath.Join(t.TempDir(), "nowhere.yaml"), link); err != nil {
		t.Fatal(err)
	}
	if _, err := serve.AddAccessKey(link, "", issuer.Admin); err == nil || !strings.Contains(err.Error(), "link.yaml is a link to a file that is not there") {
		t.Errorf("got %v", err)
	}
}

// TestAnAddedKeyIsReadByTheSame: a file that the issuer reads through its group is one afterwards, and a link stays one.
func TestAnAddedKeyIsReadByTheSame(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // modes mean nothing there
	}
	path := filepath.Join(t.TempDir(), "keys.yaml")
	if _, err := serve.AddAccessKey(path, "one", issuer.Admin); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.yaml")
	if err := errors.Join(os.Chmod(path, 0o640), os.Symlink(path, link)); err != nil {
		t.Fatal(err)
	}
	gid := os.Getgid()
	if os.Getuid() == 0 {
		gid = 12345
		if err := os.Chown(path, 54321, gid); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := serve.AddAccessKey(link, "two", issuer.Admin); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if owner := fmt.Sprintf("%+v", info.Sys()); !strings.Contains(owner, fmt.Sprintf("Gid:%d ", gid)) {
		t.Errorf("the group has changed: %s", owner)
	}
	if is, err := os.Readlink(link); err != nil || is != path {
		t.Errorf("the link is %q, %v", is, err)
	}
	if all, err := serve.ReadAccessKeys(path); err != nil || len(all) != 2 {
		t.Errorf("%d keys, %v", len(all), err)
	}
}

func TestAccessKeysOfAPerson(t *testing.T) {
	const good = "- {name: a, accessKeyId: AKIA1, secretAccessKey: hunter2, role: admin}\n"
	for _, tt := range []struct{ name, text, want string }{
		{"no list", "name: a\n", ":1:1: want a list of access keys"},
		{"an empty list", "[]\n", ":1:1: want a list of access keys"},
		{"no role", "- {accessKeyId: AKIA1, secretAccessKey: hunter2}\n", ":1:3: role is missing; want admin or read-only"},
		{"an unknown role", "- {accessKeyId: AKIA1, secretAccessKey: hunter2, role: root}\n", ":1:3: the role is neither admin nor read-only"},
		{"no secret", "- {accessKeyId: AKIA1, role: admin}\n", ":1:3: the secret access key is empty"},
		{"an unknown key", "- {accessKeyID: AKIA1}\n", `:1:4: the key "accessKeyID" is unknown`},
		{"an id twice", good + good, `:2:3: the access key "AKIA1" is there twice`},
		{"a number", "- {accessKeyId: 1, secretAccessKey: hunter2, role: admin}\n", ":1:17: accessKeyId is not a string"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := serve.ReadAccessKeys(write(t, "keys.yaml", tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestAccessKeysThatOthersReadAreRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // modes mean nothing there
	}
	path := write(t, "keys.yaml", "- {name: a, accessKeyId: AKIA1, secretAccessKey: hunter2, role: admin}\n")
	for mode, refused := range map[os.FileMode]bool{0o400: false, 0o600: false, 0o440: false, 0o644: true, 0o660: true, 0o604: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := serve.ReadAccessKeys(path); (err != nil) != refused {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}
