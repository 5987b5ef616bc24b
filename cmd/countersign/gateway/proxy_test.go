package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/gateway"
)

func TestServiceReceivesTheEdgesWordOnly(t *testing.T) {
	svc := newService(t)
	g := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}})
	r := raw(t, strings.Join([]string{
		"GET /a?b=c HTTP/1.1", "Host: localhost:8443",
		"Authorization: Bearer one", "Authorization: Bearer two", "Accept: text/plain",
		// Forged: who the caller is, and what was asked.
		"X-Forwarded-For: 10.0.0.1", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", "X-Forwarded-Port: 1",
		"X-Forwarded-Prefix: /admin", "X-Forwarded-User: root", "X-Forwarded: for=1", "Forwarded: for=10.0.0.1",
		"X-Real-IP: 10.0.0.1", "True-Client-IP: 10.0.0.1", "X-Original-URL: /admin", "X-Rewrite-URL: /admin", "Via: 1.1 forged",
		"X-Amzn-Oidc-Identity: root", "X-Amzn-Oidc-Data: e30", "X-Amzn-Mtls-Clientcert-Subject: CN=root", "X-Amzn-TLS-Version: TLSv1.3",
		"X-Cluster-Client-IP: 10.0.0.1", "CF-Connecting-IP: 10.0.0.1", "Fastly-Client-IP: 10.0.0.1",
		// Names that another reader takes for the ones above.
		"X_Forwarded_For: 10.0.0.1", "X.Forwarded.For: 10.0.0.1", "X!Y: 1",
		// Hop-by-hop, and an attempt to have the edge's own fields removed as hop-by-hop.
		"Connection: keep-alive, X-Secret, X-Forwarded-For, X-Forwarded-Proto", "X-Secret: 1", "Keep-Alive: 5",
		"Proxy-Authorization: Basic eA==", "Proxy-Connection: keep-alive", "TE: gzip", "Trailer: X-Late",
		"Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
		"", "",
	}, "\r\n"))
	if got := answer(g, r).StatusCode; got != 200 {
		t.Fatalf("status %d", got)
	}
	in := svc.received()
	if in.Host != "localhost:8443" {
		t.Errorf("Host %q", in.Host)
	}
	want := map[string][]string{
		"Accept":            {"text/plain"},
		"Authorization":     {"Bearer one", "Bearer two"}, // refused by the service, which says why
		"Http2-Settings":    {"AAMAAABkAARAAAAAAAIAAAAA"},
		"Via":               {"1.1 countersign"},
		"X-Forwarded-For":   {"127.0.0.1"},
		"X-Forwarded-Host":  {"localhost:8443"},
		"X-Forwarded-Port":  {"80"},
		"X-Forwarded-Proto": {"http"},
	}
	for _, name := range slices.Sorted(maps.Keys(in.Header)) {
		if !slices.Equal(in.Header[name], want[name]) {
			t.Errorf("received %s: %q, want %q", name, in.Header[name], want[name])
		}
	}
	for name := range want {
		if in.Header[name] == nil {
			t.Errorf("not received: %s", name)
		}
	}
}

func TestTrailersDoNotPassTheFilter(t *testing.T) {
	var trailer http.Header
	svc := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		trailer = r.Trailer
	}))
	defer svc.Close()
	g := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}})
	r := raw(t, "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: X-Forwarded-For\r\n\r\n1\r\na\r\n0\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n")
	if got := answer(g, r).StatusCode; got != 200 || len(trailer) != 0 {
		t.Errorf("status %d, trailer %v", got, trailer)
	}
}

func TestTraceAndConnectAreNotForwarded(t *testing.T) {
	svc := newService(t)
	g := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}})
	res := answer(g, raw(t, "TRACE /a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer hunter2\r\n\r\n"))
	if res.StatusCode != 405 || strings.Contains(res.Header.Get("Allow"), "TRACE") || res.Header.Get("Allow") == "" {
		t.Errorf("TRACE: %s, Allow %q", res.Status, res.Header.Get("Allow"))
	}
	if got := answer(g, raw(t, "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n")).StatusCode; got != 400 {
		t.Errorf("CONNECT: status %d, want 400", got)
	}
	if svc.received() != nil {
		t.Error("the service was reached")
	}
}

func TestUpgradeOpensNoTunnel(t *testing.T) {
	svc := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" || r.Header.Get("Connection") != "" {
			t.Error("the service was asked to switch")
		}
		// A service that switches all the same gets no tunnel either.
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
	}))
	defer svc.Close()
	mute := rawServer(t, "HTTP/1.1 101 Switching Protocols\r\n\r\n") // It does not even say to what.
	for _, upstream := range []string{svc.URL, mute} {
		g := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", upstream}}})
		edge := httptest.NewServer(g) // A recorder has no connection to take over.
		defer edge.Close()
		c, err := net.Dial("tcp", edge.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || res.StatusCode != http.StatusBadGateway {
			t.Errorf("%v %v, want 502", res, err)
		}
	}
}

func TestEarlyHintsAreNotTheAnswer(t *testing.T) {
	var log bytes.Buffer
	svc := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusForbidden)
	}))
	defer svc.Close()
	g := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	edge := httptest.NewServer(g)
	defer edge.Close()
	r, _ := http.NewRequest("GET", edge.URL, nil)
	r.Host = "localhost"
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	edge.Close() // waits for the handler, and so for its line
	if res.StatusCode != 403 || !strings.Contains(log.String(), "status=403") {
		t.Errorf("%s, log %s", res.Status, log.String())
	}
}

func TestAnswersOfAServiceThatIsAway(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer slow.Close()
	defer close(release)
	garbage := rawServer(t, "not HTTP\r\n\r\n")
	silent := rawServer(t, "")
	tests := []struct {
		name, upstream string
		timeout        time.Duration // 0 is longer than any of these takes
		want           int
	}{
		{"refused", "http://127.0.0.1:1", 0, 502},
		{"no answer in time", slow.URL, 20 * time.Millisecond, 504},
		{"closed without an answer", silent, 0, 502},
		{"not HTTP", garbage, 0, 502},
		{"no such host", "http://1.2.3.4.5", 0, 502}, // which no name server is asked for
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			g := newGateway(t, gateway.Config{
				Routes:          []gateway.Route{{"/", tt.upstream}},
				UpstreamTimeout: tt.timeout,
				Logger:          slog.New(slog.NewTextHandler(&log, nil)),
			})
			r := raw(t, "POST /a?access_token=hunter2 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer hunter3\r\nContent-Length: 1\r\n\r\nx")
			res := answer(g, r)
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != tt.want {
				t.Errorf("status %d, want %d", res.StatusCode, tt.want)
			}
			// No address and no cause outside …
			if strings.Count(string(body), "\n") != 1 || strings.ContainsAny(string(body), "0123456789:") {
				t.Errorf("body %q", body)
			}
			// … and one line with the cause inside.
			if strings.Count(log.String(), "upstream failed") != 1 || !strings.Contains(log.String(), "err=") || strings.Contains(log.String(), "hunter") {
				t.Errorf("log:\n%s", log.String())
			}
		})
	}
}

// rawServer answers every connection with text and closes it.
func rawServer(t *testing.T, text string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			http.ReadRequest(bufio.NewReader(c))
			io.WriteString(c, text)
			c.Close()
		}
	}()
	return "http://" + ln.Addr().String()
}

func TestCallerThatLeavesIsNotTheServicesFault(t *testing.T) {
	var log bytes.Buffer
	arrived := make(chan struct{})
	svc := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}))
	defer svc.Close()
	g := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ctx, leave := context.WithCancel(t.Context())
	go func() { <-arrived; leave() }()
	answer(g, get(t, "/").WithContext(ctx))
	if !strings.Contains(log.String(), "status=499") || strings.Contains(log.String(), "upstream failed") {
		t.Errorf("log:\n%s", log.String())
	}
}

func TestAnswerPassesAsItComes(t *testing.T) {
	next := make(chan struct{})
	svc := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		<-next
		io.WriteString(w, "second")
	}))
	defer svc.Close()
	g := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}})
	edge := httptest.NewServer(g)
	defer edge.Close()
	res, err := http.Get(edge.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 403 || res.Header.Get("WWW-Authenticate") != `Bearer error="insufficient_scope"` {
		t.Errorf("%s %v", res.Status, res.Header)
	}
	first := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != "first" {
		t.Errorf("%q %v", first, err)
	}
	close(next) // The service goes on only now: what was read before had not waited for the end.
	rest, err := io.ReadAll(res.Body)
	if string(rest) != "second" || err != nil {
		t.Errorf("%q %v", rest, err)
	}
}

func TestRequestLogHasFixedKeysAndNoSecret(t *testing.T) {
	var log bytes.Buffer
	svc := newService(t)
	g := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/api", svc.URL}}, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	for _, text := range []string{
		"GET /api/x?access_token=hunter2 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer hunter2\r\nCookie: hunter2\r\n\r\n",
		"GET /api/../x?access_token=hunter2 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer hunter2\r\n\r\n",
		"GET /other?hunter2 HTTP/1.1\r\nHost: localhost\r\nReferer: hunter2\r\nX-Forwarded-For: hunter2\r\n\r\n",
		"GET http://hunter2:hunter2@localhost/api HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /api/" + strings.Repeat("a", 5000) + " HTTP/1.1\r\nHost: " + strings.Repeat("b", 5000) + "\r\n\r\n",
	} {
		answer(g, raw(t, text))
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 5 {
		t.Errorf("%d lines for 5 requests:\n%s", len(lines), log.String())
	}
	for _, line := range lines {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		keys := strings.Join(slices.Sorted(maps.Keys(fields)), " ")
		if keys != "bytes duration host level method msg path peer proto route status time" {
			t.Errorf("keys %s", keys)
		}
		if strings.Contains(line, "hunter2") || len(line) > 1000 {
			t.Errorf("line %s", line)
		}
	}
	if !strings.Contains(lines[0], `"path":"/api/x","route":"/api","status":200,"bytes":6,`) {
		t.Errorf("line %s", lines[0])
	}
}
