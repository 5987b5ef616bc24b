package image_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/countersign-dev/countersign/cmd/countersign/image"
)

// answers is a registry that answers each upload, and each question for the tag, in one way.
func answers(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" && len(header) == 0 {
			return
		}
		if r.Method == http.MethodHead || r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/referrers/") {
			if len(header) == 0 {
				w.WriteHeader(http.StatusNotFound)
				return
			}
		}
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func oneError(code, message string) string {
	return fmt.Sprintf(`{"errors":[{"code":%q,"message":%q}]}`, code, message)
}

// TestPushMistakes holds what a person reads when a registry refuses, and that it says what to do.
func TestPushMistakes(t *testing.T) {
	built := orders(t)
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		want   []string
	}{
		{"not logged in", answers(401, oneError("UNAUTHORIZED", "authentication required"), "WWW-Authenticate", `Basic realm="r"`), []string{"does not know you; log in first, with: docker login 127.0.0.1:"}},
		{"may not write", answers(403, oneError("DENIED", "requested access to the resource is denied")), []string{"knows you, and does not let you use shop/orders so"}},
		{"repository missing", answers(404, oneError("NAME_UNKNOWN", "no such repository")), []string{"has no repository shop/orders", "make it there first"}},
		{"tag immutable", answers(400, oneError("TAG_INVALID", "The image tag 'v1' already exists in the 'shop/orders' repository and cannot be overwritten because the tag is immutable.")),
			[]string{"tag v1 of 127.0.0.1:", "names another image already, and its tags are immutable", "leave --tag out"}},
		{"too large", answers(413, "no"), []string{"takes no upload of this size"}},
		{"a page in place of an answer", answers(418, "<html>teapot</html>"), []string{"registry 127.0.0.1:"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := httptest.NewServer(test.answer)
			t.Cleanup(s.Close)
			_, err := built.Push(t.Context(), image.Registry{}, strings.TrimPrefix(s.URL, "http://")+"/shop/orders", "v1")
			wantError(t, err, test.want...)
		})
	}
}

func TestPushUnreachable(t *testing.T) {
	built := orders(t)
	_, err := built.Push(t.Context(), image.Registry{}, "127.0.0.1:1/shop/orders", "v1")
	wantError(t, err, "does not answer; look whether it runs")
	// A name has a letter in its last part (RFC 1123, Section 2.1): no name server is asked for this one.
	_, err = built.Push(t.Context(), image.Registry{}, "1.2.3.4.5/shop/orders", "v1")
	wantError(t, err, "registry 1.2.3.4.5: no such host")
}

// elsewhere sends what is for any registry to one test server, whatever name the registry has.
type elsewhere struct{ host, scheme string }

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	asked := r
	r = r.Clone(r.Context())
	if r.URL.Scheme == "https" && e.scheme == "http" {
		return nil, fmt.Errorf("Get %q: http: server gave HTTP response to HTTPS client", r.URL)
	}
	r.Host, r.URL.Host, r.URL.Scheme = r.URL.Host, e.host, e.scheme
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		res.Request = asked // against which a Location is resolved
	}
	return res, err
}

func TestPushWithoutTLS(t *testing.T) {
	built := orders(t)
	s := newRegistry(t)
	plain := image.Registry{Transport: elsewhere{s.host(), "http"}}
	_, err := built.Push(t.Context(), plain, "registry.example.com/shop/orders", "v1")
	wantError(t, err, "registry registry.example.com speaks HTTP without TLS", "--insecure-http")
	plain.InsecureHTTP = true
	if _, err := built.Push(t.Context(), plain, "registry.example.com/shop/orders", "v1"); err != nil {
		t.Errorf("with InsecureHTTP: %v", err)
	}
}

func TestPushToAnUnknownAuthority(t *testing.T) {
	built := orders(t)
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	s.Config.ErrorLog = quiet
	_, err := built.Push(t.Context(), image.Registry{Transport: elsewhere{strings.TrimPrefix(s.URL, "https://"), "https"}}, "registry.example.com/shop/orders", "v1")
	wantError(t, err, "an authority that this machine does not know; name its PEM file in SSL_CERT_FILE")
}

// TestNoPasswordInErrors pushes with a password to a registry that refuses it.
func TestNoPasswordInErrors(t *testing.T) {
	built := orders(t)
	s := httptest.NewServer(answers(401, oneError("UNAUTHORIZED", "no"), "WWW-Authenticate", `Basic realm="r"`))
	t.Cleanup(s.Close)
	_, err := built.Push(t.Context(), image.Registry{Keychain: keychain{"me", "hunter2"}}, strings.TrimPrefix(s.URL, "http://")+"/shop/orders", "v1")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

type keychain struct{ name, password string }

func (k keychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	return &authn.Basic{Username: k.name, Password: k.password}, nil
}

func TestRepositoryAndTagAreChecked(t *testing.T) {
	built := orders(t)
	for _, test := range []struct{ repository, tag, want string }{
		{"orders", "v1", `repository "orders"`},
		{"registry.example.com/Orders", "v1", `repository "registry.example.com/Orders"`},
		{"registry.example.com/orders:v1", "v1", `repository "registry.example.com/orders:v1"`},
		{"https://registry.example.com/orders", "v1", `repository "https://registry.example.com/orders"`},
		{"registry.example.com/orders", "v1+dirty", `tag "v1+dirty": a tag is 1 to 128 letters`},
		{"registry.example.com/orders", "", `tag ""`},
	} {
		_, err := built.Push(t.Context(), image.Registry{}, test.repository, test.tag)
		wantError(t, err, test.want)
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v\nwant %s", err, part)
		}
	}
}
