package clientcredentials_test

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// TestReplayOverHTTP2: many uploads on one connection, each of which is refused before its body is read.
func TestReplayOverHTTP2(t *testing.T) {
	upload := bytes.Repeat([]byte("0123456789abcdef"), 1<<13)
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("it came over %s", r.Proto)
		}
		if r.Header.Get("Authorization") == "Bearer token-1" {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if body, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(body, upload) {
			t.Errorf("%d of %d bytes came, %v", len(body), len(upload), err)
		}
	}))
	api.EnableHTTP2 = true
	api.Config.ErrorLog = log.New(io.Discard, "", 0)
	api.StartTLS()
	defer api.Close()
	i := &issuer{}
	s := i.source(t, func(cfg *clientcredentials.Config) { cfg.Origins = []string{api.URL} })
	client := &http.Client{Transport: s.Transport(api.Client().Transport)}
	var work sync.WaitGroup
	for range 20 {
		work.Go(func() {
			res, err := client.Post(api.URL, "application/octet-stream", bytes.NewReader(upload))
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Errorf("status %d", res.StatusCode)
			}
		})
	}
	work.Wait()
	if n := i.count(); n != 2 {
		t.Errorf("%d token requests, want 2", n)
	}
}
