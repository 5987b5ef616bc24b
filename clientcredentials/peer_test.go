package clientcredentials_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// socket serves h on a Unix socket.
func socket(t *testing.T, h http.Handler) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	server.Start()
	t.Cleanup(server.Close)
	return path
}

func TestAgentSocket(t *testing.T) {
	var forms, caches []string
	n := 0
	path := socket(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		forms = append(forms, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization")+string(body))
		caches = append(caches, r.Header.Get("Cache-Control"))
		n++
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, n)
	}))
	s, err := clientcredentials.New(clientcredentials.Config{
		TokenEndpoint: "unix://" + path, Credentials: clientcredentials.Peer("reader"), Scopes: []string{"demo.read"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got := token(t, s)
	if want := "POST /oauth2/token client_id=reader&grant_type=client_credentials&scope=demo.read"; got.AccessToken != "token-1" || forms[0] != want {
		t.Errorf("%s, and asked %q, want %q", got.AccessToken, forms[0], want)
	}
	// rfc9111 s5.2.1.4: a token that was refused is not wanted from a cache.
	next, ok := s.Replace(t.Context(), got)
	if !ok || next.AccessToken != "token-2" || caches[0] != "" || caches[1] != "no-cache" {
		t.Errorf("%v, asked with Cache-Control %q", ok, caches)
	}
	if _, ok := s.Replace(t.Context(), next); ok || n != 2 {
		t.Errorf("a second replacement in the window: %v, %d requests", ok, n)
	}
}

func TestAgentSocketIsChecked(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config clientcredentials.Config
		want   string
	}{
		{"a secret for an agent", clientcredentials.Config{TokenEndpoint: "unix:///run/a.sock", Credentials: clientcredentials.Static("reader", "s3cret")}, "takes no secret; use Peer"},
		{"a relative path", clientcredentials.Config{TokenEndpoint: "unix://a.sock", Credentials: clientcredentials.Peer("reader")}, "names no absolute path"},
		{"an HTTP client of its own", clientcredentials.Config{TokenEndpoint: "unix:///a.sock", Credentials: clientcredentials.Peer("reader"), HTTPClient: http.DefaultClient}, "HTTPClient would not be used"},
		{"a door", clientcredentials.Config{TokenEndpoint: "unix:///a.sock", Credentials: clientcredentials.Peer("reader"), Door: clientcredentials.ClientSecretPost}, "leave Door empty"},
		{"no secret for an issuer", clientcredentials.Config{TokenEndpoint: endpoint, Credentials: clientcredentials.Peer("reader")}, "has to be an agent's socket"},
		{"no name", clientcredentials.Config{TokenEndpoint: "unix:///a.sock", Credentials: clientcredentials.Peer("")}, "the name given to Peer is empty"},
	} {
		if _, err := clientcredentials.New(tt.config); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestAnAgentThatRefuses: what is to be put right is the agent's configuration, and no secret.
func TestAnAgentThatRefuses(t *testing.T) {
	path := socket(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
	}))
	s, err := clientcredentials.New(clientcredentials.Config{TokenEndpoint: "unix://" + path, Credentials: clientcredentials.Peer("reader")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Token(t.Context())
	want := fmt.Sprintf("the agent has no client of this name for user %d; look at its configuration", os.Getuid())
	if !errors.Is(err, &clientcredentials.Error{Code: clientcredentials.InvalidClient}) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestAnAgentWhoseClockIsWrong: it is this machine's clock too, so it says nothing of the token that the agent has found good.
func TestAnAgentWhoseClockIsWrong(t *testing.T) {
	ended := jwt(map[string]any{"iat": time.Now().Add(-3 * time.Hour).Unix(), "exp": time.Now().Add(-2 * time.Hour).Unix()})
	path := socket(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":1800}`, ended)
	}))
	s, err := clientcredentials.New(clientcredentials.Config{TokenEndpoint: "unix://" + path, Credentials: clientcredentials.Peer("reader")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	asked := time.Now()
	if left := token(t, s).Expiry.Sub(asked); left < 30*time.Minute || left > 40*time.Minute {
		t.Errorf("it lives %v, want what the agent says", left)
	}
}
