package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
)

const shopConfig = `service: {name: shop}
pool: {region: eu-central-1}
resource: {identifier: https://shop.example.com, scopes: [{name: items.read}, {name: items.write}]}
clients:
  - {name: writer, scopes: [items.write]}
  - {name: reader, scopes: [items.read]}
`

// shopAPI is the service that the file is about.
func shopAPI(guard *countersign.Guard) *countersign.Mux {
	api := guard.Mux()
	ok := func(http.ResponseWriter, *http.Request) {}
	api.HandleFunc("GET /healthz", ok, countersign.Public("liveness probe"))
	api.HandleFunc("POST /items", ok, countersign.Scope("items.write"))
	api.HandleFunc("GET /shops/{shop}/items/{id}", ok, countersign.Scope("items.read"))
	return api
}

func shopGuard(t *testing.T, issuer string) *countersign.Guard {
	t.Helper()
	guard, err := countersign.New(countersign.Config{Issuer: issuer, Resource: "https://shop.example.com", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { guard.Close() })
	return guard
}

// With --no-run the service is somebody's debugger's: dev has the issuer, the clients and the policy, and prove finds them.
func TestDevLeavesTheServiceToADebugger(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "countersign.yaml")
	document, err := shopAPI(shopGuard(t, "http://127.0.0.1:1/eu-central-1_Example01")).Policy().OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{file: shopConfig, filepath.Join(dir, "openapi.json"): string(document)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	both := &screen{grew: make(chan struct{}, 1)}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"dev", "--no-run", "-f", file, "--state", state,
			"--api-addr=localhost:0", "--edge-addr=localhost:0", "--issuer-addr=localhost:0"}, both, both)
	}()
	defer func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("it ended with %d:\n%s", code, both)
		}
	}()
	both.await(t, "Ctrl-C stops it.", 1)
	for _, want := range []string{"  service  shop (yours to start; " + file + ")\n", " your-service    # yours to start", `"Authorization: Bearer $(`} {
		if !strings.Contains(both.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, both)
		}
	}
	if line := regexp.MustCompile(`(?m)^  curl -H .* token reader --state .*\)" \$API_URL/shops/1/items/1$`); !line.MatchString(both.String()) {
		t.Errorf("it names no call that works:\n%s", both)
	}
	api := regexp.MustCompile(`API +http://(\S+)`).FindStringSubmatch(both.String())
	issuer := regexp.MustCompile(`issuer +(\S+)`).FindStringSubmatch(both.String())
	if api == nil || issuer == nil {
		t.Fatal(both)
	}
	l, err := net.Listen("tcp", api[1])
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: shopAPI(shopGuard(t, issuer[1]))}
	go server.Serve(l)
	defer server.Close()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"prove", "http://" + api[1], "--state", state}, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), ": proved (3 routes") {
		t.Errorf("exit code %d\n%s%s", code, &stdout, &stderr)
	}
	for _, args := range [][]string{{"--once"}, {"--", "npm", "start"}} {
		if code := run(t.Context(), append([]string{"dev", "--no-run"}, args...), &stdout, &stderr); code != exitCannotRun || !strings.Contains(stderr.String(), "--no-run starts no service") {
			t.Errorf("%q: exit code %d\n%s", args, code, &stderr)
		}
	}
}
