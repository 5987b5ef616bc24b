package callers_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/callers"
)

const secret = "hunter2-is-the-secret"

func TestFromEnv(t *testing.T) {
	t.Setenv("READER_CLIENT_ID", "id")
	t.Setenv("READER_CLIENT_SECRET", secret)
	t.Setenv("READER_SCOPES", " https://a.example/read  write ")
	t.Setenv("HALF_CLIENT_ID", "id")
	t.Setenv("ODD_CLIENT_ID", "id")
	t.Setenv("ODD_CLIENT_SECRET", secret)
	t.Setenv("ODD_SCOPES", "a a")
	c, err := callers.FromEnv("reader=READER")
	if err != nil || c.Name != "reader" || fmt.Sprint(c.Scopes) != "[https://a.example/read write]" {
		t.Errorf("%+v, %v", c, err)
	}
	if list, err := c.Credentials.Load(t.Context()); err != nil || list[0].ClientID != "id" || list[0].ClientSecret != secret {
		t.Errorf("%v, %v", list, err)
	}
	for text, want := range map[string]string{
		"reader":           "write NAME=PREFIX",
		"=READER":          "write NAME=PREFIX",
		"reader=":          "write NAME=PREFIX",
		"reader=" + secret: "write NAME=PREFIX", // a secret where a prefix belongs
		"x=NOBODY":         "x: the environment has no NOBODY_CLIENT_ID and no NOBODY_CLIENT_SECRET; export it",
		"x=HALF":           "x: the environment has no HALF_CLIENT_SECRET; export it",
		"x=ODD":            "x: ODD_SCOPES: the scope a is there twice",
	} {
		if _, err := callers.FromEnv(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestReadFile(t *testing.T) {
	mounted := write(t, "mounted", `{"client_id": "m", "client_secret": "`+secret+`"}`, 0o600)
	file := write(t, "clients.yaml", `
issuer: https://issuer.example.com
clients:
  reader:
    client_id: 1234567890
    client_secret: "`+secret+`"
    scopes: [https://api.example.com/read]
  mounted:
    credentials: `+mounted+`
`, 0o600)
	f, err := callers.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if f.Issuer != "https://issuer.example.com" || len(f.Callers) != 2 || f.Callers[0].Name != "reader" || len(f.Callers[0].Scopes) != 1 {
		t.Errorf("%+v", f)
	}
	for i, want := range []string{"1234567890", "m"} {
		list, err := f.Callers[i].Credentials.Load(t.Context())
		if err != nil || list[0].ClientID != want || list[0].ClientSecret != secret {
			t.Errorf("%v, %v", list, err)
		}
	}
	if text := fmt.Sprintf("%+v", f); strings.Contains(text, secret) {
		t.Errorf("printed, the file shows a secret: %s", text)
	}
}

func TestReadFileRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"no YAML", "clients:\n  a: " + secret + ": x", "c.yaml:2:"},
		{"no object", "[]", "c.yaml:1:1: a file of clients is an array; write an object"},
		{"no clients", "issuer: x", "c.yaml:1:1: clients is missing; list them as name: "},
		{"empty", "clients: {}", "c.yaml:1:10: there is no client"},
		{"a member misspelt", "clients:\n  a: {client_id: b, secret: " + secret + "}", `c.yaml:2:21: a client has no member of this name; it has ["client_id" "client_secret" "credentials" "scopes"]`},
		{"a secret as a member", secret + ": 1\nclients: {}", "c.yaml:1:1: a file of clients has no member of this name"},
		{"no secret", "clients: {a: {client_id: b}}", "c.yaml:1:11: the client has no credentials; write client_id and client_secret, or credentials alone"},
		{"both", "clients: {a: {client_id: b, client_secret: " + secret + ", credentials: d}}", "write client_id and client_secret, or credentials alone"},
		{"a secret that is a list", "clients: {a: {client_id: b, client_secret: [" + secret + "]}}", "c.yaml:1:44: client_secret is an array; write a word, in quotes"},
		{"scopes in one word", "clients: {a: {client_id: b, client_secret: c, scopes: d e}}", "c.yaml:1:55: scopes is a string; write a list"},
		{"a scope with a space", "clients: {a: {client_id: b, client_secret: c, scopes: [d e]}}", "c.yaml:1:56: a scope is no name without spaces and quotes"},
		{"a scope twice", "clients: {a: {client_id: b, client_secret: c, scopes: [d, d]}}", "c.yaml:1:59: the scope d is there twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := callers.ReadFile(write(t, "c.yaml", tt.text, 0o600))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	for _, mode := range []os.FileMode{0o644, 0o640, 0o602} {
		file := write(t, "c.yaml", "clients: {a: {client_id: b, client_secret: c}}", mode)
		if err := os.Chmod(file, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
		if _, err := callers.ReadFile(file); err == nil || !strings.Contains(err.Error(), "can be read by others (mode "+fmt.Sprintf("%04o", mode)+"); run: chmod 600 "+file) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if _, err := callers.ReadFile(write(t, "c.yaml", "clients: {a: {credentials: b}}", 0o644)); err != nil {
		t.Errorf("a file without a secret: %v", err)
	}
	if _, err := callers.ReadFile(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := callers.ReadFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// fakeIssuer gives opaque tokens, and the scopes that are asked for or all of them.
type fakeIssuer struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	all   string // the scopes of who asks for none
}

func newIssuer(t *testing.T, all string) *fakeIssuer {
	f := &fakeIssuer{all: all}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]string{"issuer": f.URL, "token_endpoint": f.URL + "/token"})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		id, given, _ := r.BasicAuth()
		scope := r.FormValue("scope")
		f.mu.Lock()
		f.asked = append(f.asked, id+" "+scope)
		f.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if given != secret {
			w.WriteHeader(http.StatusUnauthorized)
			json.NewEncoder(w).Encode(map[string]string{"error": "invalid_client"})
			return
		}
		if scope == "" {
			scope = f.all
		}
		token := base64.RawURLEncoding.EncodeToString([]byte(id + " " + scope))
		json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": scope})
	})
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func caller(name string, scopes ...string) callers.Caller {
	return callers.Caller{Name: name, Credentials: clientcredentials.Static(name, secret), Scopes: scopes}
}

// Each caller that names no scopes is asked once for what it may have, and that token serves again.
func TestTokens(t *testing.T) {
	f := newIssuer(t, "read write")
	issuer, err := callers.NewIssuer(f.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := issuer.Tokens(t.Context(), []callers.Caller{caller("a"), caller("b", "admin")})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(tokens.Grants()); got != "[[read write] [admin]]" {
		t.Errorf("grants %s", got)
	}
	for _, scopes := range [][]string{{"write", "read"}, {}, {"read"}, {"admin"}, {"read"}} {
		token, err := tokens.Token(t.Context(), scopes)
		if err != nil || token == "" {
			t.Errorf("%v: %v", scopes, err)
		}
		if text := fmt.Sprintf("%+v", issuer); strings.Contains(text, token) {
			t.Errorf("printed, the issuer shows a token: %s", text)
		}
	}
	if got := strings.Join(f.asked, "; "); got != "a ; a read; b admin" {
		t.Errorf("the issuer was asked: %s", got)
	}
}

// An API may ask for a token and for no scope.
func TestTokensWithoutScopes(t *testing.T) {
	f := newIssuer(t, "")
	issuer, err := callers.NewIssuer(f.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := issuer.Tokens(t.Context(), []callers.Caller{caller("a")})
	if err != nil {
		t.Fatal(err)
	}
	if token, err := tokens.Token(t.Context(), []string{}); err != nil || token == "" || len(f.asked) != 1 {
		t.Errorf("%q, %v, asked %q", token, err, f.asked)
	}
}

func TestTokensRefused(t *testing.T) {
	f := newIssuer(t, "read")
	issuer, err := callers.NewIssuer(f.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	wrong := callers.Caller{Name: "wrong", Credentials: clientcredentials.Static("wrong", "another")}
	also := wrong
	also.Name = "also"
	_, err = issuer.Tokens(t.Context(), []callers.Caller{wrong, also})
	for _, want := range []string{"client wrong: ", "client also: ", clientcredentials.InvalidClient} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "another") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestSecureURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://a.example/x":                "",
		"http://localhost:1/x":               "",
		"http://a.localhost":                 "",
		"http://127.0.0.9":                   "",
		"http://[::1]:1":                     "",
		"http://a.example":                   "is plain http and not on this machine",
		"http://localhost.a":                 "is plain http and not on this machine",
		"http://10.0.0.1":                    "is plain http and not on this machine",
		"https://u:" + secret + "@a.example": "has a user or password in it",
		"a.example":                          "is no URL",
		"file:///etc/passwd":                 "is no URL",
		"https://%zz":                        "is no URL",
	} {
		_, err := callers.SecureURL(text)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	if _, err := callers.NewIssuer("http://a.example", nil); err == nil || !strings.HasPrefix(err.Error(), "the issuer's URL is plain http") {
		t.Errorf("got %v", err)
	}
}
