package child_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/child"
)

const program = `package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ANSWER") })
	fmt.Println(http.ListenAndServe(os.Getenv("ADDR"), nil))
}
`

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// go run is built first: a build that fails leaves the old service where it is.
func TestBuildThatFailsTakesNothingDown(t *testing.T) {
	dir := t.TempDir()
	main := filepath.Join(dir, "main.go")
	write(t, filepath.Join(dir, "go.mod"), "module example.com/shop\n\ngo 1.25.0\n")
	write(t, main, strings.ReplaceAll(program, "ANSWER", "one"))
	c, cfg, l := start(t, "", func(cfg *child.Config) {
		cfg.Command, cfg.Dir = []string{"go", "run", "."}, dir
		cfg.Env = append(cfg.Env, "GOWORK=off")
	})
	if err := await(t, c); err != nil {
		t.Fatal(err, l)
	}
	write(t, main, "package main\n\nfunc main() { nothing() }\n")
	c.Restart()
	l.await(t, "shop: it cannot be built: go build . failed; the old one stays up\n")
	l.await(t, "shop | ./main.go:3:15: undefined: nothing\n")
	if got := get(t, cfg.Addr); got != "one" {
		t.Errorf("%q answers", got)
	}
	write(t, main, strings.ReplaceAll(program, "ANSWER", "two"))
	c.Restart()
	for c.State().Run < 2 || !c.State().Up {
		<-c.Changed()
	}
	if got := get(t, cfg.Addr); got != "two" {
		t.Errorf("%q answers", got)
	}
}

func TestGoRunIsSplit(t *testing.T) {
	for _, tt := range []struct{ command, build, rest string }{
		{"go run .", ".", ""},
		{"go run ./cmd/orders -v x", "./cmd/orders", "-v x"},
		{"go run -race -tags a,b ./cmd/orders", "-race -tags a,b ./cmd/orders", ""},
		{"go run -ldflags=-s -trimpath . -- -x", "-ldflags=-s -trimpath .", "-- -x"},
		{"/usr/local/go/bin/go run main.go api.go one", "main.go api.go", "one"},
		{"go run example.com/x@v1.2.3", "-", ""},
		{"go run -exec wine .", "-", ""},
		{"go run", "-", ""},
		{"go test ./...", "-", ""},
		{"npm start", "-", ""},
	} {
		build, rest, ok := child.SplitGoRun(strings.Fields(tt.command))
		if want := strings.Fields(tt.build); ok != (tt.build != "-") || ok && (!slices.Equal(build, want) || !slices.Equal(rest, strings.Fields(tt.rest))) {
			t.Errorf("%s: %q, %q, %v", tt.command, build, rest, ok)
		}
	}
}
