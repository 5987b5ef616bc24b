package countersign_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
)

// What a handler can do with the server's ResponseWriter it can do behind a guard.
func TestTheHandlerHasTheServersOwnResponseWriter(t *testing.T) {
	api := newIssuer(pool).guard(t, nil).Mux()
	rule := countersign.Scope("demo.read")
	api.HandleFunc("GET /flush", func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		io.WriteString(w, "first\n")
		if err := errors.Join(control.Flush(), control.SetWriteDeadline(time.Now().Add(time.Minute))); err != nil {
			t.Error(err)
		}
		<-r.Context().Done() // until the client has read the first line and gone
	}, rule)
	api.HandleFunc("GET /upgrade", func(w http.ResponseWriter, r *http.Request) {
		conn, buffer, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		buffer.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello " + countersign.CallerFrom(r.Context()).ClientID + "\n")
		buffer.Flush()
	}, countersign.UntilExpiry(rule))
	api.HandleFunc("GET /abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, rule)
	server := httptest.NewServer(api)
	defer server.Close()
	get := func(path string) (*http.Response, error) {
		r, err := http.NewRequest("GET", server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+scoped("demo.read"))
		if path == "/upgrade" {
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "echo")
		}
		return server.Client().Do(r)
	}
	for path, want := range map[string]string{"/flush": "first\n", "/upgrade": "hello " + client + "\n"} {
		res, err := get(path)
		if err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(res.Body).ReadString('\n'); line != want {
			t.Errorf("%s: %q, %v", path, line, err)
		}
		res.Body.Close()
	}
	if res, err := get("/abort"); err == nil || !strings.Contains(err.Error(), "EOF") {
		t.Errorf("aborted: %v, %v", res, err)
	}
}
