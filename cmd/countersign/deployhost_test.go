package main

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestUnanswered tells a load balancer that has no healthy target yet from a service that answers, whatever it says.
func TestUnanswered(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	for code, want := range map[int]string{200: "", 401: "", 404: "", 500: "", 502: "502 Bad Gateway", 503: "503 Service Unavailable", 504: "504 Gateway Timeout"} {
		status = code
		if got := unanswered(t.Context(), server.Client(), server.URL+"/api"); got != want {
			t.Errorf("%d: %q, want %q", code, got, want)
		}
	}
	status = http.StatusServiceUnavailable
	if got := unanswered(t.Context(), http.DefaultClient, server.URL); got != "" {
		t.Errorf("a certificate that nobody knows is the proof's to judge: %q", got)
	}
	if got := unanswered(t.Context(), server.Client(), "https://127.0.0.1:1"); !strings.Contains(got, "refused") {
		t.Errorf("nobody listens: %q", got)
	}
}
