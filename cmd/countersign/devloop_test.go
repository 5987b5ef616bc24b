package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A screen is what a running command has printed so far.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	grew chan struct{}
}

// Write implements [io.Writer].
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.grew <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until the text has been printed so many times.
func (s *screen) await(t *testing.T, text string, times int) {
	t.Helper()
	late := time.After(2 * time.Minute)
	for strings.Count(s.String(), text) < times {
		select {
		case <-s.grew:
		case <-late:
			t.Fatalf("%q was not printed %d times:\n%s", text, times, s)
		}
	}
}

// edit replaces a word in a file, as an editor does: a new file takes the place of the old one.
func edit(t *testing.T, path, from, to string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(from)) {
		t.Fatalf("%s has no %q", path, from)
	}
	if err := os.WriteFile(path+".tmp", bytes.ReplaceAll(data, []byte(from), []byte(to)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
}

// create writes a file that was not there.
func create(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// While dev runs, its user changes one file after the other.
func TestDevFollowsItsUser(t *testing.T) {
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"GOFLAGS": "-mod=mod", "GOWORK": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local"} {
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	both := &screen{grew: make(chan struct{}, 1)}
	if code := run(t.Context(), []string{"init", dir, "--module", "example.com/you/shop", "--replace", repository}, both, both); code != 0 {
		t.Fatal(both)
	}
	file, api := filepath.Join(dir, "countersign.yaml"), filepath.Join(dir, "api.go")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"dev", "-f", file, "--state", t.TempDir(), "--watch", "*.csv",
			"--api-addr=localhost:0", "--edge-addr=localhost:0", "--issuer-addr=localhost:0"}, both, both)
	}()
	defer func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("it ended with %d:\n%s", code, both)
		}
	}()
	const proved = ": proved (3 routes"
	both.await(t, "Ctrl-C stops it.", 1)
	both.await(t, proved, 2)

	edit(t, api, `countersign.Scope("items.write")`, `countersign.Scop("items.write")`)
	both.await(t, "undefined: countersign.Scop", 1)
	both.await(t, "failed; the old one stays up", 1)
	edit(t, api, `countersign.Scop("items.write")`, `countersign.Public("a mistake")`)
	both.await(t, "NOT PROVED (3 routes", 1)
	edit(t, api, `countersign.Public("a mistake")`, `countersign.Scope("items.write")`)
	both.await(t, proved, 4)
	// The requests of a proof are not logged, however often it is done; somebody's own request is.
	if strings.Contains(both.String(), "msg=request peer=") || strings.Contains(both.String(), "operation=Token") {
		t.Errorf("a proof was logged:\n%s", both)
	}
	_, issuer, _ := strings.Cut(both.String(), "issuer   ")
	issuer, _, _ = strings.Cut(issuer, "\n")
	for !strings.Contains(both.String(), "msg=request") { // the log goes on a moment after the last line of the proof
		if res, err := http.Get(issuer + "/.well-known/jwks.json?mine"); err != nil || res.Body.Close() != nil {
			t.Fatal(err)
		}
	}

	// What is embedded is built in, and what is named by --watch is a part of the service too.
	create(t, filepath.Join(dir, "greeting.txt"), "hello")
	create(t, filepath.Join(dir, "greeting.go"), "package shop\n\nimport _ \"embed\"\n\n//go:embed greeting.txt\nvar greeting string\n")
	both.await(t, proved, 6)
	edit(t, filepath.Join(dir, "greeting.txt"), "hello", "good day")
	both.await(t, proved, 8)
	create(t, filepath.Join(dir, "rates.csv"), "EUR,1\n")
	both.await(t, proved, 10)

	edit(t, filepath.Join(dir, "testdata", "authorization.json"), `"post": {`, `"put": {`)
	both.await(t, "NOT PROVED (3 routes", 2)

	edit(t, file, "name: items.write", "name: items.wrote")
	both.await(t, "what was read before stays in force: ", 1)
	both.await(t, `clients[1].scopes[0]: "items.write" is no scope of the resource; write items.wrote`, 1)
	edit(t, file, "name: items.wrote", "name: items.write")
	both.await(t, file+" says what it said before", 1) // and a comment would be no reason to begin anew either
	edit(t, file, "name: reader", "name: auditor")
	both.await(t, file+" has changed: the system begins anew", 1)
	both.await(t, "Ctrl-C stops it.", 2)
}
