package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/gateway"
)

// serve runs an edge on a port of its own until the test ends or stop is called, which returns what Serve returned.
func serve(t *testing.T, cfg gateway.Config) (addr string, roots *x509.CertPool, stop func() error) {
	t.Helper()
	ca := newCA(t, t.TempDir(), newSealer(t, 1))
	cfg.Certificate = ca.GetCertificate
	g := newGateway(t, cfg)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(ctx, ln) }()
	stopped := false
	stop = func() error { stopped = true; cancel(); return <-ended }
	t.Cleanup(func() {
		if !stopped {
			stop()
		}
	})
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.PEM())
	return ln.Addr().String(), roots, stop
}

func httpsClient(t *testing.T, roots *x509.CertPool, mod func(*http.Transport)) *http.Client {
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	if mod != nil {
		mod(tr)
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func TestServeSpeaksHTTP2AndHTTP1OverTLS(t *testing.T) {
	svc := newService(t)
	addr, roots, _ := serve(t, gateway.Config{Routes: []gateway.Route{{"/api", svc.URL}}})
	_, port, _ := net.SplitHostPort(addr)
	for proto, client := range map[string]*http.Client{
		"HTTP/2.0": httpsClient(t, roots, nil),
		"HTTP/1.1": httpsClient(t, roots, func(tr *http.Transport) { tr.ForceAttemptHTTP2 = false }),
	} {
		res, err := client.Get("https://" + addr + "/api/x")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.Proto != proto || res.StatusCode != 200 || string(body) != "served" {
			t.Errorf("%s: %s %s %q", proto, res.Proto, res.Status, body)
		}
		in := svc.received()
		for name, want := range map[string]string{
			"Via": strings.TrimPrefix(proto, "HTTP/") + " countersign", "X-Forwarded-Proto": "https",
			"X-Forwarded-Port": port, "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": addr,
		} {
			if got := in.Header.Get(name); got != want {
				t.Errorf("%s: %s %q, want %q", proto, name, got, want)
			}
		}
	}
}

func TestServeGivesStrangersNoHandshake(t *testing.T) {
	addr, roots, _ := serve(t, gateway.Config{
		Routes: []gateway.Route{{"/", "http://localhost:1"}},
		Allow:  []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	})
	c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots})
	if err == nil {
		c.Close()
		t.Fatal("a peer that is not in the list got a handshake")
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		t.Errorf("a peer that is not in the list saw a certificate: %v", err)
	}
}

func TestServeRefusesOldTLS(t *testing.T) {
	addr, roots, _ := serve(t, gateway.Config{Routes: []gateway.Route{{"/", "http://localhost:1"}}})
	for name, cfg := range map[string]*tls.Config{
		"TLS 1.1":                &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"TLS 1.2 with CBC suite": &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}},
	} {
		cfg.RootCAs = roots
		if c, err := tls.Dial("tcp", addr, cfg); err == nil {
			c.Close()
			t.Errorf("%s: accepted", name)
		}
	}
	c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestPlainHTTPGetsNoService(t *testing.T) {
	svc := newService(t)
	addr, _, _ := serve(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}})
	res, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusBadRequest || svc.received() != nil {
		t.Errorf("plain HTTP: %s", res.Status)
	}
}

func TestServeLetsRunningRequestsFinish(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	svc := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		io.WriteString(w, "done")
	}))
	defer svc.Close()
	addr, roots, stop := serve(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}})
	type result struct {
		body string
		err  error
	}
	got := make(chan result, 1)
	go func() {
		res, err := httpsClient(t, roots, nil).Get("https://" + addr)
		if err != nil {
			got <- result{"", err}
			return
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		got <- result{string(body), err}
	}()
	<-arrived
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	select {
	case <-ended:
		t.Error("Serve returned while a request was running")
	default:
	}
	close(release)
	if r := <-got; r.body != "done" || r.err != nil {
		t.Errorf("the running request: %q, %v", r.body, r.err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("the port is still open")
	}
}

func TestServeCutsOffAfterTheDrainTimeout(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	svc := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(arrived); <-release }))
	defer svc.Close()
	defer close(release)
	addr, roots, stop := serve(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}, DrainTimeout: 1})
	failed := make(chan error, 1)
	go func() {
		_, err := httpsClient(t, roots, nil).Get("https://" + addr)
		failed <- err
	}()
	<-arrived
	if err := stop(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("the request was answered")
	}
}

func TestServeNeedsACertificateAndAListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := gateway.Config{Routes: []gateway.Route{{"/", "http://localhost:1"}}, Logger: slog.New(slog.DiscardHandler)}
	if err := newGateway(t, cfg).Serve(t.Context(), ln); err == nil || !strings.Contains(err.Error(), "Serve needs Config.Certificate") {
		t.Errorf("without a certificate: %v", err)
	}
	cfg.Certificate = newCA(t, t.TempDir(), newSealer(t, 1)).GetCertificate
	if err := newGateway(t, cfg).Serve(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("on a closed listener: %v", err)
	}
}

// RFC 6797, Section 8.1.1, and the reason why localhost is not pinned either.
func TestHSTSOnlyForNamesThatABrowserMayPin(t *testing.T) {
	svc := newService(t)
	g := newGateway(t, gateway.Config{
		Routes: []gateway.Route{{"/api", svc.URL}},
		Hosts:  []string{"api.example.com", "localhost", "127.0.0.1", "::1", "x.localhost"},
	})
	for _, tt := range []struct{ host, path, want string }{
		{"api.example.com", "/api", "max-age=31536000"},
		{"api.example.com:8443", "/none", "max-age=31536000"},
		{"localhost:8443", "/api", ""},
		{"x.localhost", "/api", ""},
		{"127.0.0.1", "/api", ""},
		{"[::1]:8443", "/api", ""},
	} {
		for _, secure := range []bool{true, false} {
			r := get(t, tt.path)
			r.Host = tt.host
			want := ""
			if secure {
				r.TLS, want = &tls.ConnectionState{}, tt.want
			}
			got := answer(g, r).Header.Values("Strict-Transport-Security")
			if strings.Join(got, "|") != want {
				t.Errorf("%s%s, TLS %v: %q, want %q", tt.host, tt.path, secure, got, want)
			}
		}
	}
}

func TestOversizedHeadersAreRefused(t *testing.T) {
	svc := newService(t)
	addr, roots, _ := serve(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}})
	c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: "+strings.Repeat("a", 100<<10)+"\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge || svc.received() != nil {
		t.Errorf("status %d, want 431", res.StatusCode)
	}
	// 17 KiB are the service's to judge.
	req, _ := http.NewRequest("GET", "https://"+addr, nil)
	req.Header.Set("Authorization", strings.Repeat("a", 17<<10))
	res, err = httpsClient(t, roots, nil).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if in := svc.received(); in == nil || len(in.Header.Get("Authorization")) != 17<<10 {
		t.Errorf("17 KiB: %s", res.Status)
	}
}
