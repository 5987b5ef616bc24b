package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/tokenendpoint"
	"github.com/countersign-dev/countersign/cmd/countersign/tokenproxy"
)

// process is a command of the built program that stays up.
type process struct {
	*exec.Cmd
	ready string // its first line
	out   *bufio.Reader
}

// startProgram starts a command and waits for the first line that it prints.
func startProgram(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command("countersign", args...)}
	p.Stderr = t.Output()
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
	})
	p.out = bufio.NewReader(out)
	p.ready, err = p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("countersign %s: %v", strings.Join(args, " "), err)
	}
	return p
}

// end sends a signal and waits for the program's end.
func (p *process) end(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	err := p.Wait()
	if signal == syscall.SIGTERM && err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
}

// tokenIssuer gives tokens with a number to the client reader.
func tokenIssuer(t *testing.T) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if _, secret, _ := r.BasicAuth(); secret != "s3cret-of-reader" {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"error":"invalid_client"}`)
			return
		}
		fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, asked.Add(1))
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// TestAgentIsKilled: programs keep their tokens, an agent that is started again has the socket, and no secret and no
// token is on the disk at any time.
func TestAgentIsKilled(t *testing.T) {
	url, asked := tokenIssuer(t)
	dir := t.TempDir()
	secrets := t.TempDir()
	socket := filepath.Join(dir, "agent.sock")
	credentials := filepath.Join(secrets, "reader.json")
	config := filepath.Join(dir, "agent.yaml")
	for file, text := range map[string]string{
		credentials: `{"client_id":"reader","client_secret":"s3cret-of-reader"}`,
		config: fmt.Sprintf("socket: %s\nclients:\n  reader:\n    token_endpoint: %s\n    credentials: %s\n    uids: [%d]\n",
			socket, url, credentials, os.Getuid()),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	agent := startProgram(t, "agent", "--config", config)
	if want := "token socket  unix://" + socket + "\n"; agent.ready != want {
		t.Errorf("it says %q, want %q", agent.ready, want)
	}
	source := func() *clientcredentials.Source {
		s, err := clientcredentials.New(clientcredentials.Config{TokenEndpoint: "unix://" + socket, Credentials: clientcredentials.Peer("reader")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	first := source()
	if token, err := first.Token(t.Context()); err != nil || token.AccessToken != "token-1" {
		t.Fatalf("%v, %v", token, err)
	}
	if _, err := source().Token(t.Context()); err != nil || asked.Load() != 1 {
		t.Fatalf("a second program: %v, %d requests", err, asked.Load())
	}
	agent.end(t, syscall.SIGKILL)
	if _, err := first.Token(t.Context()); err != nil {
		t.Errorf("a program that has a token needs the agent: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := source().Token(ctx); err == nil {
		t.Error("a token without an agent")
	}
	agent = startProgram(t, "agent", "--config", config)
	if token, err := source().Token(t.Context()); err != nil || token.AccessToken != "token-2" {
		t.Errorf("after the restart: %v, %v", token, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 2 {
		t.Errorf("beside its configuration and its socket the agent wrote something: %v, %v", files, err)
	}
	agent.end(t, syscall.SIGTERM)
	if _, err := os.Lstat(socket); err == nil {
		t.Error("the socket is left behind after SIGTERM")
	}
}

// TestTokenproxyDropsIn: a client changes the address of its token endpoint and nothing else.
func TestTokenproxyDropsIn(t *testing.T) {
	url, asked := tokenIssuer(t)
	proxy := startProgram(t, "tokenproxy", "--upstream", url+"/oauth2/token", "--addr", "127.0.0.1:0", "--drain-wait", "0")
	endpoint := strings.TrimSpace(strings.TrimPrefix(proxy.ready, "token endpoint"))
	ask := func(secret string) (*clientcredentials.Token, error) {
		s, err := clientcredentials.New(clientcredentials.Config{TokenEndpoint: endpoint, Credentials: clientcredentials.Static("reader", secret)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		return s.Token(t.Context())
	}
	for range 3 {
		if token, err := ask("s3cret-of-reader"); err != nil || token.AccessToken != "token-1" {
			t.Errorf("%v, %v", token, err)
		}
	}
	if _, err := ask("another"); err == nil || !strings.Contains(err.Error(), "invalid_client") {
		t.Errorf("a wrong secret: %v", err)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("%d requests were granted, want 1", n)
	}
	proxy.end(t, syscall.SIGTERM)
	if conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(endpoint, "http://"), "/oauth2/token")); err == nil {
		conn.Close()
		t.Error("it listens after SIGTERM")
	}
}

// TestTokenproxyPaths: the upstream's path is answered too, where a mux can have it, and the standard one always.
func TestTokenproxyPaths(t *testing.T) {
	for path, own := range map[string]bool{
		"": false, "/": false, "/oauth2/token": true, "/realms/shop/token": true, "/a%20b": true, "/a//b": false, "/a/../b": false, "/{a}": false, "/token/": true,
	} {
		o := tokenproxyOptions{Config: tokenproxy.Config{Upstream: "https://issuer.example.com" + path}}
		routes := o.routes(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }), &tokenendpoint.Server{})
		for asked, want := range map[string]bool{"/oauth2/token": true, path: own} {
			if asked == "" {
				continue
			}
			res := httptest.NewRecorder()
			routes.ServeHTTP(res, httptest.NewRequest(http.MethodPost, asked, nil))
			if got := res.Code == http.StatusTeapot; got != want {
				t.Errorf("upstream %q, POST %s: %d", path, asked, res.Code)
			}
		}
	}
}

func TestTokenproxyFlags(t *testing.T) {
	for _, tt := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--addr", "foo"}, "--addr foo: "},
		{[]string{"--addr", ":8443"}, "is reached from other machines"},
		{[]string{"--max-entries", "0"}, "--max-entries is a positive number"},
		{[]string{"--stranger-rate", "0"}, "--stranger-rate is a positive number"},
		{[]string{"--stranger-rate", "NaN"}, "--stranger-rate is a positive number"},
		{[]string{"--tls-cert", "a"}, "go together"},
		{[]string{"--drain-wait", "-1s"}, "--drain-wait is not negative"},
	} {
		cmd := newTokenproxy()
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(append([]string{"--upstream", "https://issuer.example.com/oauth2/token"}, tt.flags...))
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // one that is taken ends at once
		if err := cmd.ExecuteContext(ctx); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %s", tt.flags, err, tt.want)
		}
	}
}

// TestTokenproxyOverTLS asks over TLS, and reads the metrics.
func TestTokenproxyOverTLS(t *testing.T) {
	url, _ := tokenIssuer(t)
	// The certificate of httptest, with its key, is for 127.0.0.1.
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	pair := web.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{"tls.crt": {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, "tls.key": {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	proxy := startProgram(t, "tokenproxy", "--upstream", url+"/oauth2/token", "--addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0",
		"--tls-cert", filepath.Join(dir, "tls.crt"), "--tls-key", filepath.Join(dir, "tls.key"))
	endpoint := strings.TrimSpace(strings.TrimPrefix(proxy.ready, "token endpoint"))
	if !strings.HasPrefix(endpoint, "https://127.0.0.1:") {
		t.Fatal(proxy.ready)
	}
	s, err := clientcredentials.New(clientcredentials.Config{
		TokenEndpoint: endpoint, Credentials: clientcredentials.Static("reader", "s3cret-of-reader"), HTTPClient: web.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if token, err := s.Token(t.Context()); err != nil || token.AccessToken != "token-1" {
		t.Errorf("%v, %v", token, err)
	}
	line, err := proxy.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(strings.TrimSpace(strings.TrimPrefix(line, "metrics")))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(body), "countersign_tokenproxy_upstream_granted_total 1\n") {
		t.Errorf("%v\n%s", err, body)
	}
}
