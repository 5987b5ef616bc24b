package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const publicAndGuarded = `openapi: 3.1.0
info: {title: Orders, version: "1"}
servers: [{url: https://orders.example.com/v1}]
components:
  securitySchemes:
    token: {type: http, scheme: bearer}
    key: {type: apiKey, in: header, name: X-Key}
paths:
  /orders: {get: {security: [{token: []}]}}
  /partner: {get: {security: [{key: []}]}}
  /healthz: {get: {security: [], x-countersign-public: liveness probe}}
`

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// guarded refuses whoever brings no token, and everybody else as well.
func guarded(w http.ResponseWriter, r *http.Request) {
	switch fields := r.Header.Values("Authorization"); {
	case r.URL.Path == "/v1/healthz":
	case r.URL.Path != "/v1/orders":
		http.NotFound(w, r)
	case len(fields) == 0:
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(http.StatusUnauthorized)
	case strings.Contains(fields[0], "not a token") || fields[0] == "Bearer":
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_request"`)
		w.WriteHeader(http.StatusBadRequest)
	default:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// prove runs the command in this process.
func proveCommand(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, words bytes.Buffer
	code = run(ctx, append([]string{"prove"}, args...), &out, &words)
	return code, out.String(), words.String()
}

func TestProveWithoutTokens(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(guarded))
	defer service.Close()
	policy := writeFile(t, "openapi.yaml", publicAndGuarded)
	for _, address := range []string{service.URL, service.URL + "/v1", service.URL + "/v1/"} {
		code, stdout, stderr := proveCommand(t.Context(), address, "--policy", policy, "--no-tokens")
		if code != 0 || stderr != "" {
			t.Fatalf("%s: exit code %d\n%s%s", address, code, stdout, stderr)
		}
		for _, want := range []string{"GET /v1/orders  Authenticated()", "GET /partner  not judged\n", "demands an API key in header X-Key (key), which is not judged", `Public("liveness probe")`} {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s: the table lacks %q:\n%s", address, want, stdout)
			}
		}
	}
	code, stdout, _ := proveCommand(t.Context(), service.URL, "--policy", policy, "--no-tokens", "--beneath", "/v1/orders")
	if code != 0 || strings.Contains(stdout, "healthz") || strings.Contains(stdout, "partner") {
		t.Errorf("--beneath: exit code %d\n%s", code, stdout)
	}
}

// A policy may come from a URL, but not over a wire that somebody else can write to, nor from where it redirects to.
func TestPolicyFromURL(t *testing.T) {
	documents := http.NewServeMux()
	documents.HandleFunc("/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, publicAndGuarded) })
	documents.HandleFunc("/refs.yaml", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "openapi: 3.1.0\npaths: {/a: {$ref: /etc/passwd}, /b: {$ref: b.yaml}}\n")
	})
	documents.Handle("/moved", http.RedirectHandler("/openapi.yaml", http.StatusFound))
	server := httptest.NewServer(documents)
	defer server.Close()
	service := httptest.NewServer(http.HandlerFunc(guarded))
	defer service.Close()
	for policy, want := range map[string]string{
		server.URL + "/openapi.yaml":       "",
		server.URL + "/moved":              "answers 302; save the document and name the file",
		server.URL + "/none":               "answers 404",
		server.URL + "/refs.yaml":          "refs.yaml:2:20: $ref \"/etc/passwd\" leads out of the directory",
		"http://docs.example.com/a.yaml":   "--policy: the URL is plain http and not on this machine; write https",
		"ftp://docs.example.com/a.yaml":    "--policy: the URL is no URL",
		"https://a:b@docs.example.com/a.y": "has a user or password in it",
		"file:///etc/passwd":               "--policy: the URL is no URL",
	} {
		code, stdout, stderr := proveCommand(t.Context(), service.URL, "--policy", policy, "--no-tokens")
		if want == "" && code != 0 || want != "" && (code != exitCannotRun || !strings.Contains(stderr, want) || stdout != "") {
			t.Errorf("%s: exit code %d, want %q\n%s%s", policy, code, want, stdout, stderr)
		}
	}
}

// Ctrl-C keeps what is known: the table is printed, and the exit code is 2.
func TestInterruptedProof(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asked atomic.Int32
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 5 {
			cancel()
			<-r.Context().Done()
		}
		guarded(w, r)
	}))
	defer service.Close()
	code, stdout, stderr := proveCommand(ctx, service.URL, "--policy", writeFile(t, "openapi.yaml", publicAndGuarded), "--no-tokens", "--concurrency", "1", "--format", "json")
	if code != exitCannotRun || !strings.Contains(stderr, "countersign: interrupted; the report has what was known by then") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if proved, notRun := strings.Count(stdout, `"state": "proved"`), strings.Count(stdout, `"state": "not run"`); proved != 4 || notRun < 5 {
		t.Errorf("%d proved, %d not run\n%s", proved, notRun, stdout)
	}
}

// The section about a log stands behind the table, and beside what a program reads.
func TestProveSeen(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(guarded))
	defer service.Close()
	policy := writeFile(t, "openapi.yaml", publicAndGuarded)
	log := writeFile(t, "access.log", "- - - [t] \"GET /v1/orders HTTP/1.1\" 200 1\n- - - [t] \"GET /v1/partner HTTP/1.1\" 200 1\n- - - [t] \"POST /v1/debug/7 HTTP/1.1\" 200 1\n")
	want := fmt.Sprintf("\nSeen in %s (3 requests)\n  served, and not in the document:\n    POST /v1/debug/{}  200 (1 request)\n  in the document, and never served:\n    GET /healthz\n", log)
	code, stdout, _ := proveCommand(t.Context(), service.URL, "--policy", policy, "--no-tokens", "--seen", log)
	if code != 0 || !strings.HasSuffix(stdout, want) {
		t.Errorf("exit code %d\n%s\nwant at the end %s", code, stdout, want)
	}
	if _, stdout, stderr := proveCommand(t.Context(), service.URL, "--policy", policy, "--no-tokens", "--seen", log, "--format", "json"); stderr != want || strings.Contains(stdout, "Seen in") {
		t.Errorf("%s\n%s", stdout, stderr)
	}
	code, stdout, stderr := proveCommand(t.Context(), service.URL, "--policy", policy, "--no-tokens", "--seen", policy)
	if code != exitCannotRun || stdout != "" || !strings.Contains(stderr, "--seen "+policy+": line 1 is no request; write an access log") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

// instant is a target that answers at once, or never.
type instant struct {
	never bool
	at    []time.Duration
	start time.Time
}

func (*instant) String() string { return "instant" }

func (i *instant) Do(r *http.Request) (*http.Response, error) {
	i.at = append(i.at, time.Since(i.start))
	if i.never {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: http.StatusOK}, nil
}

func TestPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := &instant{start: time.Now()}
		p := &paced{Target: target, interval: 200 * time.Millisecond, timeout: time.Second}
		ask := func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Do(req)
			return err
		}
		for range 3 {
			if err := ask(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(time.Second)
		if err := ask(t.Context()); err != nil { // what was not used is not made up for
			t.Fatal(err)
		}
		if got := fmt.Sprint(target.at); got != "[0s 200ms 400ms 1.4s]" {
			t.Errorf("asked at %s", got)
		}
		target.never = true
		start := time.Now()
		if err := ask(t.Context()); !errors.Is(err, errNoAnswer) || time.Since(start) != 1200*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(start)) // the turn, and the timeout
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(io.ErrClosedPipe)
		p.next = time.Now().Add(time.Hour)
		if err := ask(ctx); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%v: a wait ends with its context", err)
		}
	})
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := &progress{w: &out, now: func() time.Time { return now }}
	p.clear()
	for done := range 4 {
		now = now.Add(60 * time.Millisecond)
		p.step(done+1, 4)
	}
	p.clear()
	if want := "\r1 of 4 cases\x1b[K\r3 of 4 cases\x1b[K\r\x1b[K"; out.String() != want {
		t.Errorf("%q", &out)
	}
	if newProgress(&out).w != nil {
		t.Error("a line of progress where there is no terminal")
	}
}

// What the page about proofs calls a flag is one.
func TestProvePageNamesFlags(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "prove.md"))
	if err != nil {
		t.Fatal(err)
	}
	flags := newProve().Flags()
	names := regexp.MustCompile("--([a-z]+(?:-[a-z]+)*)").FindAllStringSubmatch(string(page), -1)
	for _, name := range names {
		if flags.Lookup(name[1]) == nil {
			t.Errorf("docs/prove.md names --%s, which is no flag of prove", name[1])
		}
	}
	for _, name := range []string{"policy", "server", "issuer", "client", "clients", "no-tokens", "allow-writes", "probe", "rate", "concurrency", "timeout", "seen"} {
		if !strings.Contains(string(page), "--"+name) {
			t.Errorf("docs/prove.md does not name --%s", name)
		}
	}
}
