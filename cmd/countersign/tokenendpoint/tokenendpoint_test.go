package tokenendpoint_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/tokenendpoint"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, form, authorization string
		want                      tokenendpoint.Request
		secret                    string
		fails                     bool
	}{
		{name: "rfc6749 s2.3.1: both halves are form-encoded", form: "grant_type=client_credentials&scope=b+a+b", authorization: "Basic YSUzQWI6YyUyQmQ=",
			want: tokenendpoint.Request{ClientID: "a:b", Basic: true, Scopes: []string{"a", "b"}}, secret: "c+d"},
		{name: "in the form", form: "grant_type=client_credentials&client_id=a&client_secret=c%2Bd", want: tokenendpoint.Request{ClientID: "a"}, secret: "c+d"},
		{name: "client_id beside the header", form: "grant_type=client_credentials&client_id=a%3Ab", authorization: "Basic YSUzQWI6YyUyQmQ=",
			want: tokenendpoint.Request{ClientID: "a:b", Basic: true}, secret: "c+d"},
		{name: "another client_id beside the header", form: "grant_type=client_credentials&client_id=x", authorization: "Basic YSUzQWI6YyUyQmQ=", fails: true},
		{name: "another scheme", form: "grant_type=client_credentials", authorization: "Bearer a", fails: true},
		{name: "bad form encoding in the header", form: "grant_type=client_credentials", authorization: "Basic YSV6ejpi", fails: true},
		{name: "rfc6749 s3.3: a tab between scopes", form: "grant_type=client_credentials&client_id=a&client_secret=b&scope=a%09b", fails: true},
		{name: "rfc6749 s3.3: a space of another kind", form: "grant_type=client_credentials&client_id=a&client_secret=b&scope=a%C2%A0b", fails: true},
		{name: "rfc6749 s3.3: more spaces than one", form: "grant_type=client_credentials&client_id=a&client_secret=b&scope=b++a+",
			want: tokenendpoint.Request{ClientID: "a", Scopes: []string{"a", "b"}}, secret: "b"},
		{name: "too many scopes", form: "grant_type=client_credentials&scope=" + manyScopes(), fails: true},
		{name: "rfc6749 s3.2: without a value is as if omitted", form: "grant_type=client_credentials&audience=&scope=&client_id=a&client_secret=b",
			want: tokenendpoint.Request{ClientID: "a"}, secret: "b"},
		{name: "rfc6749 s3.2: twice, once without a value", form: "grant_type=client_credentials&scope=&scope=a", fails: true},
		{name: "no grant_type", form: "client_id=a", fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(c.form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if c.authorization != "" {
				r.Header.Set("Authorization", c.authorization)
			}
			got, err := tokenendpoint.Read(r)
			if (err != nil) != c.fails {
				t.Fatalf("%+v, %v", got, err)
			}
			if !c.fails && (got.ClientID != c.want.ClientID || got.Basic != c.want.Basic || strings.Join(got.Scopes, " ") != strings.Join(c.want.Scopes, " ") || got.Secret() != c.secret) {
				t.Errorf("%+v", got)
			}
		})
	}
	r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(`{"grant_type":"client_credentials"}`))
	r.Header.Set("Content-Type", "application/json")
	if _, err := tokenendpoint.Read(r); err == nil {
		t.Error("a JSON body was taken")
	}
}

// Who sends what is no token request is told what is wrong with it, in fixed words.
func TestRefusalSaysWhy(t *testing.T) {
	for body, want := range map[string]string{
		"":                    "the request has no grant_type",
		"grant_type=password": tokenendpoint.ErrGrant.Error(),
		"grant_type=client_credentials&audience=hunter2": "a parameter is not one of grant_type, scope, client_id and client_secret",
		"grant_type=client_credentials&scope=%22hunter2": tokenendpoint.ErrScope.Error(),
		"%zz": "the body is not a form",
	} {
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		_, err := tokenendpoint.Read(r)
		w := httptest.NewRecorder()
		tokenendpoint.Refusal(err).Write(w)
		var answer map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer["error_description"] != want {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
		// RFC 6749, Section 5.2: error_description is of %x20-21 / %x23-5B / %x5D-7E.
		if strings.ContainsFunc(want, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
			t.Errorf("%s has a character that RFC 6749, Section 5.2 does not allow", want)
		}
	}
}

func manyScopes() string {
	var b strings.Builder
	for n := range 70 {
		b.WriteString("+s" + string(rune('0'+n/10)) + string(rune('0'+n%10)))
	}
	return b.String()
}

// TestNoPrintOfARequest: fmt prints unexported fields too.
func TestNoPrintOfARequest(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader("grant_type=client_credentials&client_id=a&client_secret=hunter2"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q, err := tokenendpoint.Read(r)
	if err != nil || q.Secret() != "hunter2" {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", q, &q, []any{q, struct{ r tokenendpoint.Request }{q}})
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "q", q)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "q", q)
	for _, form := range []string{"hunter2", fmt.Sprintf("%x", "hunter2")} {
		if strings.Contains(out.String(), form) {
			t.Errorf("printed:\n%s", out.String())
		}
	}
}

func TestFailures(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
		retry  bool
	}{
		"rfc6749 s5.2: invalid_client over Basic": {&clientcredentials.Error{Code: "invalid_client", Status: 401}, 401, "invalid_client", false},
		"rfc6749 s5.2: invalid_scope":             {&clientcredentials.Error{Code: "invalid_scope", Status: 400}, 400, "invalid_scope", false},
		"a caller that could not wait":            {context.DeadlineExceeded, 503, "temporarily_unavailable", true},
		"what nobody expected":                    {errors.New("the issuer's own text"), 502, "server_error", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			tokenendpoint.FailureOf(c.err).Write(w)
			var answer map[string]string
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != c.status || answer["error"] != c.code || len(answer) != 1 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if (w.Header().Get("Retry-After") != "") != c.retry || (w.Header().Get("WWW-Authenticate") != "") != (c.status == 401) || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%v", w.Header())
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// TestRetryAfter: the time at which the issuer is asked again, also when it is one that does not answer.
func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := roundTripper(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})
		source, err := clientcredentials.New(clientcredentials.Config{
			TokenEndpoint: "https://auth.example.com/token", Credentials: clientcredentials.Static("id", "s"), HTTPClient: &http.Client{Transport: silent},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		_, err = source.Token(t.Context())
		var e *clientcredentials.Error
		if !errors.As(err, &e) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if f := tokenendpoint.FailureOf(err); f.Status != 503 || f.RetryAfter != time.Until(e.NextTry) || f.RetryAfter < 2*time.Second {
			t.Errorf("%+v, and the issuer is asked in %v", f, time.Until(e.NextTry))
		}
	})
	if f := tokenendpoint.FailureOf(&clientcredentials.Error{Err: clientcredentials.ErrClosed}); f.Status != 503 || f.RetryAfter != time.Second {
		t.Errorf("while it ends: %+v", f)
	}
}

func TestMetrics(t *testing.T) {
	handler := tokenendpoint.Metrics(func() []tokenendpoint.Sample {
		return []tokenendpoint.Sample{
			{Name: "a_total", Help: "Counted.", Label: map[string]string{"client": `re"ad`}, Value: 2},
			{Name: "a_total", Help: "Counted.", Label: map[string]string{"client": "write"}, Value: 3},
			{Name: "b", Help: "Measured.", Gauge: true, Value: 0.5},
		}
	})
	w := httptest.NewRecorder()
	handler(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	want := "# HELP a_total Counted.\n# TYPE a_total counter\na_total{client=\"re\\\"ad\"} 2\na_total{client=\"write\"} 3\n# HELP b Measured.\n# TYPE b gauge\nb 0.5\n"
	if w.Body.String() != want {
		t.Errorf("%s", w.Body)
	}
	w = httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", "application/json")
	handler(w, r)
	var answer struct{ Samples []tokenendpoint.Sample }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(answer.Samples) != 3 || answer.Samples[1].Label["client"] != "write" {
		t.Errorf("%s", w.Body)
	}
}

// TestAPanicIsAnError: what peers do is for debugging, and what this program does wrong is not.
func TestAPanicIsAnError(t *testing.T) {
	out := make(chan string, 10)
	logger := slog.New(slog.NewTextHandler(lines(out), nil))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	server := &tokenendpoint.Server{Logger: logger, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("out of ideas") })}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l) }()
	if res, err := http.Get("http://" + l.Addr().String()); err == nil {
		res.Body.Close()
		t.Errorf("an answer: %d", res.StatusCode)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	select {
	case line := <-out:
		if !strings.Contains(line, "level=ERROR") || !strings.Contains(line, "out of ideas") {
			t.Errorf("logged: %s", line)
		}
	default:
		t.Error("nothing is logged")
	}
}

// lines sends what is written.
type lines chan<- string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// pair writes a key, and a certificate of that name for it. A key that is there already is left as it is.
func pair(t *testing.T, dir, name string, key *ecdsa.PrivateKey) (certFile, keyFile string) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		text := pem.EncodeToMemory(block)
		if before, err := os.ReadFile(file); err == nil && bytes.Equal(before, text) {
			continue
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, time.Now(), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestCertificateIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		certFile, keyFile := pair(t, dir, "first", newKey(t))
		config, err := tokenendpoint.Certificate(certFile, keyFile, slog.New(slog.NewTextHandler(io.Discard, nil)))
		if err != nil {
			t.Fatal(err)
		}
		name := func() string {
			got, err := config.GetCertificate(nil)
			if err != nil {
				t.Fatal(err)
			}
			cert, err := x509.ParseCertificate(got.Certificate[0])
			if err != nil {
				t.Fatal(err)
			}
			return cert.Subject.CommonName
		}
		time.Sleep(time.Minute)
		key := newKey(t)
		pair(t, dir, "second", key)
		if got := name(); got != "second" {
			t.Errorf("after a renewal it is the %s", got)
		}
		time.Sleep(time.Minute)
		pair(t, dir, "third", key)
		if got := name(); got != "third" {
			t.Errorf("after a renewal that keeps the key it is the %s", got)
		}
		if err := os.WriteFile(keyFile, []byte("half a key"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := name(); got != "third" {
			t.Errorf("while the files cannot be read it is the %s", got)
		}
	})
	if _, err := tokenendpoint.Certificate("none", "none", slog.Default()); err == nil {
		t.Error("no files were taken")
	}
}
