package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

// startDemo runs the demo on free ports, until the test ends.
func startDemo(t *testing.T) (state string, system *dev.System) {
	t.Helper()
	state = filepath.Join(t.TempDir(), "state")
	system, err := dev.Start(t.Context(), dev.Config{
		State: dev.State(state), APIAddr: "localhost:0", EdgeAddr: "localhost:0", IssuerAddr: "localhost:0", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.Close(); err != nil {
			t.Error(err)
		}
	})
	return state, system
}

// A service that offers its policy is proved without a file, whether everybody may read it or a scope is asked for.
func TestServiceThatOffersItsPolicyIsProved(t *testing.T) {
	state, system := startDemo(t)
	const path = "/.well-known/countersign-policy"
	for _, tt := range []struct {
		name string
		rule countersign.Rule
		code int
		says string
	}{
		{"to everybody", countersign.Public("who may call what is no secret"), 0, ": proved (3 routes"},
		{"to a client", countersign.Scope("demo.write"), 0, ": proved (3 routes"},
		{"to nobody that is here", countersign.Scope("policy.read"), exitCannotRun, path + " answers 403; save the document and name the file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			guard, err := countersign.New(countersign.Config{Issuer: system.Running.Issuer, Resource: system.Running.Resource, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			defer guard.Close()
			api := guard.Mux()
			ok := func(http.ResponseWriter, *http.Request) {}
			api.HandleFunc("GET /orders/{id}", ok, countersign.Scope("demo.read"))
			api.HandleFunc("POST /orders", ok, countersign.Scope("demo.write"))
			api.Handle("GET "+path, guard.PolicyHandler(), tt.rule)
			server := httptest.NewServer(api)
			defer server.Close()
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), []string{"prove", server.URL, "--policy", server.URL + path, "--allow-writes", "--state", state}, &stdout, &stderr)
			if code != tt.code || !strings.Contains(stdout.String()+stderr.String(), tt.says) {
				t.Errorf("code %d\n%s%s", code, &stdout, &stderr)
			}
		})
	}
}

// A token that proves one host is worth something there: a document on another host is not asked for with it.
func TestPolicyOfAnotherHostIsAskedForWithoutAToken(t *testing.T) {
	state, system := startDemo(t)
	documents := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("it was asked with a token")
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer documents.Close()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"prove", system.Running.APIURL, "--policy", documents.URL + "/openapi.json", "--state", state}, &stdout, &stderr)
	if code != exitCannotRun || !strings.Contains(stderr.String(), "/openapi.json answers 401; save the document") {
		t.Errorf("code %d\n%s%s", code, &stdout, &stderr)
	}
}
