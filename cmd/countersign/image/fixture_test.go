package image_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/countersign-dev/countersign/cmd/countersign/image"
)

// A program that needs little of the standard library compiles quickly for a platform that nobody has compiled for before.
const program = "package main\n\nfunc main() { println(\"up\") }\n"

// source writes a module with one program into a directory of its own.
func source(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string]string{
		"go.mod": "module example.com/shop\n\ngo 1.25\n", "cmd/orders/main.go": text, "stock/stock.go": "package stock\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// goAlone keeps the go command to what is on this machine.
func goAlone(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{"GOWORK": "off", "GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"} {
		t.Setenv(name, value)
	}
}

func build(t *testing.T, cfg image.Config) *image.Image {
	t.Helper()
	built, err := image.Build(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// orders is the program, built once for all the tests that do not look at the building.
func orders(t *testing.T) *image.Image {
	t.Helper()
	goAlone(t)
	once.Do(func() {
		dir, err := os.MkdirTemp("", "countersign-orders-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		for name, text := range map[string]string{"go.mod": "module example.com/orders\n\ngo 1.25\n", "main.go": program} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		shared, failed = image.Build(context.Background(), image.Config{Package: ".", Dir: dir, Port: 8080})
	})
	if shared == nil {
		t.Fatalf("the shared image was not built: %v", failed)
	}
	return shared
}

var (
	once   sync.Once
	shared *image.Image
	failed error // of its building
)

// server is a registry in this process, that counts what is uploaded.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	uploads int
}

func newRegistry(t *testing.T, options ...registry.Option) *server {
	t.Helper()
	s := &server{}
	handler := registry.New(append(options, registry.Logger(quiet))...)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut || r.Method == http.MethodPost || r.Method == http.MethodPatch {
			s.mu.Lock()
			s.uploads++
			s.mu.Unlock()
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) host() string { return strings.TrimPrefix(s.URL, "http://") }

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uploads
}
