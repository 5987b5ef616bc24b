package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/agent"
	"github.com/countersign-dev/countersign/cmd/countersign/tokenendpoint"
)

const secret = "hunter2-is-the-secret"

// fixture is an issuer, and an agent that has its client's secret.
type fixture struct {
	asked  atomic.Int64
	broken atomic.Bool
	agent  *agent.Agent
	socket string
	log    logBuffer
}

type logBuffer struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (f *fixture) issue(w http.ResponseWriter, r *http.Request) {
	if f.broken.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	id, given, _ := r.BasicAuth()
	w.Header().Set("Content-Type", "application/json")
	if id != "id-of-reader" || given != secret {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":"invalid_client"}`)
		return
	}
	fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, f.asked.Add(1))
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func start(t *testing.T, uids string) *fixture {
	t.Helper()
	f := &fixture{}
	issuer := httptest.NewServer(http.HandlerFunc(f.issue))
	t.Cleanup(issuer.Close)
	dir := t.TempDir()
	f.socket = filepath.Join(dir, "agent.sock")
	write(t, dir, "reader.json", `{"client_id":"id-of-reader","client_secret":"`+secret+`"}`)
	cfg, err := agent.ReadFile(write(t, dir, "agent.yaml", `
socket: `+f.socket+`
mode: "0600"
clients:
  reader:
    token_endpoint: `+issuer.URL+`
    credentials: reader.json
    scopes: [demo.read, demo.write]
    uids: [`+uids+`]
`))
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(&f.log, nil))
	if f.agent, err = agent.New(cfg, logger); err != nil {
		t.Fatal(err)
	}
	l, err := agent.Listen(cfg.Socket, cfg.Mode, logger)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := &tokenendpoint.Server{Handler: f.agent, Logger: logger, ConnContext: agent.ConnContext}
	go func() { ended <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = f.agent.Close()
		if _, err := os.Lstat(f.socket); err == nil {
			t.Error("the socket is left behind")
		}
	})
	return f
}

// program is a program of this machine that asks the agent.
func (f *fixture) program(t *testing.T, name string, scopes ...string) *clientcredentials.Source {
	t.Helper()
	s, err := clientcredentials.New(clientcredentials.Config{
		TokenEndpoint: "unix://" + f.socket, Credentials: clientcredentials.Peer(name), Scopes: scopes,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (f *fixture) metrics() string {
	res := httptest.NewRecorder()
	f.agent.Metrics()(res, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return res.Body.String()
}

func me() string { return fmt.Sprint(os.Getuid()) }

func TestManyProgramsCostOneRequest(t *testing.T) {
	f := start(t, me())
	var wg sync.WaitGroup
	for range 200 {
		s := f.program(t, "reader")
		wg.Go(func() {
			if token, err := s.Token(t.Context()); err != nil || token.AccessToken != "token-1" {
				t.Errorf("%v, %v", token, err)
			}
		})
	}
	wg.Wait()
	if n := f.asked.Load(); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
	for _, line := range []string{
		`countersign_agent_requests_total{client="reader"} 200`, `countersign_agent_upstream_granted_total{client="reader"} 1`,
		`countersign_agent_upstream_cost_usd{client="reader"} 0.00225`, `countersign_agent_secret_generation{client="reader"} 1`,
	} {
		if !strings.Contains(f.metrics(), line+"\n") {
			t.Errorf("the metrics lack %s:\n%s", line, f.metrics())
		}
	}
	// In an outage a program that starts finds a token.
	f.broken.Store(true)
	if _, err := f.program(t, "reader").Token(t.Context()); err != nil {
		t.Error(err)
	}
	for _, kept := range []string{secret, "token-1"} {
		if strings.Contains(f.log.String()+f.metrics(), kept) {
			t.Errorf("%s is told:\n%s", kept, f.log.String())
		}
	}
}

func TestScopesAreKeptApart(t *testing.T) {
	f := start(t, me())
	seen := map[string]bool{}
	for _, scopes := range [][]string{nil, {"demo.read"}, {"demo.write"}, {"demo.write", "demo.read"}} {
		token, err := f.program(t, "reader", scopes...).Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen[token.AccessToken] = true
	}
	// All scopes and none named are one set.
	if len(seen) != 3 || f.asked.Load() != 3 {
		t.Errorf("%d tokens with %d requests, want 3", len(seen), f.asked.Load())
	}
	_, err := f.program(t, "reader", "demo.delete").Token(t.Context())
	if want := (&clientcredentials.Error{Code: clientcredentials.InvalidScope}); !isCode(err, want) {
		t.Errorf("a scope that the client has not: %v", err)
	}
}

func isCode(err error, want *clientcredentials.Error) bool {
	e, ok := err.(*clientcredentials.Error)
	return ok && e.Is(want)
}

// TestOtherUsers: the answer does not tell which clients there are.
func TestOtherUsers(t *testing.T) {
	f := start(t, fmt.Sprint(os.Getuid()+1))
	var texts []string
	for _, name := range []string{"reader", "nobody"} {
		_, err := f.program(t, name).Token(t.Context())
		if !isCode(err, &clientcredentials.Error{Code: clientcredentials.InvalidClient}) {
			t.Fatalf("%s: %v", name, err)
		}
		text, _, _ := strings.Cut(err.Error(), "next try")
		texts = append(texts, text)
	}
	if texts[0] != texts[1] || f.asked.Load() != 0 {
		t.Errorf("%q, %d requests to the issuer", texts, f.asked.Load())
	}
	if !strings.Contains(f.metrics(), `countersign_agent_refused_total{client="reader"} 1`) {
		t.Error(f.metrics())
	}
	// Over TCP nobody is at the other end whom the kernel would name.
	res := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader("grant_type=client_credentials&client_id=reader"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	f.agent.ServeHTTP(res, req)
	var answer map[string]string
	if err := json.Unmarshal(res.Body.Bytes(), &answer); err != nil || answer["error"] != "invalid_client" {
		t.Errorf("%d %v", res.Code, answer)
	}
}

func TestARefusedTokenIsReplacedOnce(t *testing.T) {
	f := start(t, me())
	for n := range 20 {
		s := f.program(t, "reader")
		token, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		next, ok := s.Replace(t.Context(), token)
		// The first program gets a new one. The others have it already, and get no further one for five minutes.
		if n == 0 && (!ok || next.AccessToken != "token-2") || n > 0 && ok {
			t.Errorf("program %d: %v %v", n, next, ok)
		}
	}
	if n := f.asked.Load(); n != 2 {
		t.Errorf("%d token requests, want 2", n)
	}
}

func TestTheSocket(t *testing.T) {
	discard := slog.New(slog.DiscardHandler)
	dir := t.TempDir()
	path := filepath.Join(dir, "agent.sock")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agent.Listen(path, 0o600, discard); err == nil || !strings.Contains(err.Error(), "somebody answers on") {
		t.Errorf("a socket in use: %v", err)
	}
	// As kill -9 leaves it.
	left.SetUnlinkOnClose(false)
	left.Close()
	l, err := agent.Listen(path, 0o640, discard)
	if err != nil {
		t.Fatalf("a socket that was left: %v", err)
	}
	defer l.Close()
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := agent.Listen(write(t, dir, "file", ""), 0o600, discard); err == nil || !strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("a file: %v", err)
	}
	if _, err := agent.Listen(filepath.Join(dir, "none", "none", "agent.sock"), 0o600, discard); err == nil || !strings.Contains(err.Error(), "make it first") {
		t.Errorf("no directory: %v", err)
	}
	// An emptyDir of Kubernetes is everybody's to write; a directory beneath it is not.
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	beneath, err := agent.Listen(filepath.Join(dir, "made", "agent.sock"), 0o600, discard)
	if err != nil {
		t.Fatalf("a directory that is to be made: %v", err)
	}
	defer beneath.Close()
	if info, err := os.Stat(filepath.Join(dir, "made")); err != nil || info.Mode().Perm()&0o022 != 0 {
		t.Errorf("%v, %v", info, err)
	}
	open := filepath.Join(dir, "open")
	if err := os.Mkdir(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil { // whatever the umask
		t.Fatal(err)
	}
	if _, err := agent.Listen(filepath.Join(open, "agent.sock"), 0o600, discard); err == nil || !strings.Contains(err.Error(), "chmod o-w") {
		t.Errorf("a directory of everybody's: %v", err)
	}
}

// TestParameters: what the configuration adds to the token request is in it, and programs add nothing.
func TestParameters(t *testing.T) {
	cfg, err := agent.ReadFile(write(t, t.TempDir(), "a.yaml", `
socket: /a
clients:
  a: {issuer: "https://i.example.com", credentials: c, uids: [1], parameters: {audience: "https://api.example.com", organization: 7}}
`))
	if err != nil || fmt.Sprint(cfg.Clients[0].Source.Parameters) != "map[audience:[https://api.example.com] organization:[7]]" {
		t.Errorf("%v, %v", cfg.Clients, err)
	}
}

func TestReadFileRefuses(t *testing.T) {
	const good = "{issuer: https://issuer.example.com, credentials: /c, uids: [1]}"
	for _, c := range []struct{ name, text, want string }{
		{"no YAML", "socket: " + secret + ": x", "a.yaml:1:"},
		{"a list", "[]", "a.yaml:1:1: an agent's configuration is an array; write an object"},
		{"a relative socket", "socket: agent.sock\nclients: {a: " + good + "}", "socket is not an absolute path"},
		{"a long socket", "socket: /" + strings.Repeat("a", 103) + "\nclients: {a: " + good + "}", "a.yaml:1:9: socket is 104 bytes long; a kernel takes 103 at most"},
		{"no clients", "socket: /a", "clients is missing"},
		{"no client", "socket: /a\nclients: {}", "there is no client"},
		{"a member misspelt", "socket: /a\nclients:\n  a: {isuer: x}", `a.yaml:3:7: a client has no member of this name`},
		{"no credentials", "socket: /a\nclients:\n  a: {issuer: https://i.example.com, uids: [1]}", "a.yaml:3:3: the client has no credentials"},
		{"a secret and an assertion", "socket: /a\nclients: {a: {issuer: https://i.example.com, uids: [1], credentials: c, assertion_file: d}}", "the client has no credentials"},
		{"nobody", "socket: /a\nclients:\n  a: {issuer: https://i.example.com, credentials: c}", "nobody may have its tokens"},
		{"a name for a uid", "socket: /a\nclients: {a: {issuer: https://i.example.com, credentials: c, uids: [root]}}", "a uid is not a number"},
		{"a negative uid", "socket: /a\nclients: {a: {issuer: https://i.example.com, credentials: c, uids: [-1]}}", "a uid is not a number"},
		{"no issuer", "socket: /a\nclients: {a: {credentials: c, uids: [1]}}", "Config.Issuer: is empty"},
		{"plain http", "socket: /a\nclients: {a: {issuer: http://i.example.com, credentials: c, uids: [1]}}", "is plain http"},
		{"a mode that YAML reads as 432", "socket: /a\nmode: 0660\nclients: {a: " + good + "}", `a.yaml:2:7: mode is a number, and YAML's are others than a shell's; write it in quotes, such as "0660"`},
		{"a bad mode", "socket: /a\nmode: rw\nclients: {a: " + good + "}", "a.yaml:2:7: mode is not one"},
		{"a bad spread", "socket: /a\nclients: {a: {issuer: https://i.example.com, credentials: c, uids: [1], start_spread: soon}}", "start_spread is no duration"},
		{"a long spread", "socket: /a\nclients: {a: {issuer: https://i.example.com, credentials: c, uids: [1], start_spread: 11s}}",
			"start_spread is over 10s: a program waits for its first token that long, and not much longer"},
		{"parameters in a list", "socket: /a\nclients: {a: {issuer: https://i.example.com, credentials: c, uids: [1], parameters: [a]}}", "parameters is an array; write an object"},
		{"a parameter of our own", "socket: /a\nclients: {a: {issuer: https://i.example.com, credentials: c, uids: [1], parameters: {scope: a}}}", `Config.Parameters: has "scope"`},
		{"a bad budget", "socket: /a\nclients: {a: {issuer: https://i.example.com, credentials: c, uids: [1], budget: some}}", "budget is no number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := agent.ReadFile(write(t, t.TempDir(), "a.yaml", c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
