package main

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/rogpeppe/go-internal/testscript"
)

// storyCommands are what a story has beside the programs: each starts a server in this process, and ends with the story.
var storyCommands = map[string]func(*testscript.TestScript, bool, []string){
	"registry": startRegistry,
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
