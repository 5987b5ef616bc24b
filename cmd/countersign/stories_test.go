package main

import (
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/countersign-dev/countersign"
)

// storyCommands are what a story has beside the programs: each starts a server in this process, and ends with the story.
var storyCommands = map[string]func(*testscript.TestScript, bool, []string){
	"registry": startRegistry,
	"service":  startService,
	"issuer":   useIssuer,
}

// startRegistry serves a container registry and puts its host and port into REGISTRY, and into the files for the word REGISTRY.
func startRegistry(ts *testscript.TestScript, neg bool, files []string) {
	if neg {
		ts.Fatalf("usage: registry [file...]")
	}
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0))))
	ts.Defer(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	ts.Setenv("REGISTRY", host)
	for _, file := range files {
		text := strings.ReplaceAll(ts.ReadFile(file), "REGISTRY", host)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o644))
	}
}

// startService serves a guarded API of the issuer that a client's credentials name, writes its policy to a file, and puts host and port
// into BACKEND.
func startService(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: service credentials policy")
	}
	var credential struct{ Issuer string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &credential))
	guard, err := countersign.New(countersign.Config{Issuer: credential.Issuer, Resource: "https://api.example.com", InsecureAllowHTTP: true, Logger: slog.New(slog.DiscardHandler)})
	ts.Check(err)
	ts.Defer(func() { guard.Close() })
	api := guard.Mux()
	answer := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }
	api.HandleFunc("GET /orders/{id}", answer, countersign.Scope("orders.read"))
	api.HandleFunc("POST /orders", answer, countersign.Scope("orders.write"))
	api.HandleFunc("GET /livez", answer, countersign.Public("liveness probe"))
	api.HandleFunc("GET /readyz", answer, countersign.Public("readiness probe"))
	policy, err := guard.Policy().OpenAPI()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), policy, 0o644))
	server := httptest.NewServer(api)
	ts.Defer(server.Close)
	ts.Setenv("BACKEND", strings.TrimPrefix(server.URL, "http://"))
}

// useIssuer makes the issuer of a running dev the Amazon Cognito of the story, from the variables that countersign env printed.
func useIssuer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: issuer variables")
	}
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if strings.HasPrefix(name, "AWS_") {
			ts.Setenv(name, strings.Trim(value, "'"))
		}
	}
	ts.Setenv("KUBE", ts.MkAbs("kube"))
}
