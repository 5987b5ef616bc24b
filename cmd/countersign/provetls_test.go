package main

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A service whose certificate is of an authority of its own is proved with --ca, and without it the way out is named.
func TestProveWithAnAuthorityOfItsOwn(t *testing.T) {
	service := httptest.NewUnstartedServer(http.HandlerFunc(guarded))
	service.Config.ErrorLog = log.New(io.Discard, "", 0) // it is told of each handshake that is broken off
	service.StartTLS()
	defer service.Close()
	policy := writeFile(t, "openapi.yaml", publicAndGuarded)
	code, _, stderr := proveCommand(t.Context(), service.URL, "--policy", policy, "--no-tokens")
	if want := "note: this machine does not know the authority of " + strings.TrimPrefix(service.URL, "https://") + "'s certificate; --ca FILE names one to trust\n"; code != exitCannotRun || stderr != want {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	authority := writeFile(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: service.Certificate().Raw})))
	if code, stdout, stderr := proveCommand(t.Context(), service.URL, "--policy", policy, "--no-tokens", "--ca", authority); code != 0 || stderr != "" {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}
