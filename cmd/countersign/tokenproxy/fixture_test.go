package tokenproxy_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/tokenproxy"
)

const (
	right = "the-right-secret-1f2e3d"
	wrong = "the-wrong-secret-9a8b7c"
)

// upstream is an issuer whose client reader has the secret right.
type upstream struct {
	mu     sync.Mutex
	asked  []string // id, secret and scope
	delay  time.Duration
	answer func(n int) *http.Response // nil grants to whom has the right secret
	secret string
}

func (u *upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(req.Body)
	form, _ := url.ParseQuery(string(body))
	id, secret, ok := req.BasicAuth()
	if !ok {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	if u.delay > 0 {
		select {
		case <-time.After(u.delay):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked = append(u.asked, id+" "+secret+" "+form.Get("scope"))
	if u.answer != nil {
		if res := u.answer(len(u.asked)); res != nil {
			return res, nil
		}
	}
	if secret != u.secret {
		return response(400, `{"error":"invalid_client"}`), nil
	}
	return response(200, fmt.Sprintf(`{"access_token":"token-%d","expires_in":3600,"token_type":"Bearer"}`, len(u.asked))), nil
}

func (u *upstream) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.asked)
}

func (u *upstream) set(answer func(int) *http.Response) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer = answer
}

func response(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
}

func newProxy(t *testing.T, u *upstream, change func(*tokenproxy.Config)) *tokenproxy.Proxy {
	t.Helper()
	u.secret = right
	cfg := tokenproxy.Config{Upstream: "https://auth.example.com/oauth2/token", HTTPClient: &http.Client{Transport: u}}
	if change != nil {
		change(&cfg)
	}
	p, err := tokenproxy.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// got is the answer to a token request.
type got struct {
	status int
	Token  string `json:"access_token"`
	Left   int    `json:"expires_in"`
	Error  string `json:"error"`
	header http.Header
}

func post(p http.Handler, form string, header ...string) got {
	req := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(form))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for n := 0; n+1 < len(header); n += 2 {
		req.Header.Add(header[n], header[n+1])
	}
	res := httptest.NewRecorder()
	p.ServeHTTP(res, req)
	g := got{status: res.Code, header: res.Result().Header}
	_ = json.Unmarshal(res.Body.Bytes(), &g)
	return g
}

// ask asks as the client reader.
func ask(p http.Handler, secret string, scopes ...string) got {
	req := httptest.NewRequest(http.MethodPost, "/", nil)
	req.SetBasicAuth("reader", secret)
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
	return post(p, form.Encode(), "Authorization", req.Header.Get("Authorization"))
}

// walk calls visit with each string that v leads to, but for the upstream of the test, which records what it was asked.
func walk(v reflect.Value, seen map[uintptr]bool, visit func(string)) {
	if v.IsValid() && v.Type() == reflect.TypeFor[*upstream]() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		visit(v.String())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() || v.Kind() == reflect.Pointer && seen[v.Pointer()] {
			return
		}
		if v.Kind() == reflect.Pointer {
			seen[v.Pointer()] = true
		}
		walk(v.Elem(), seen, visit)
	case reflect.Struct:
		for n := range v.NumField() {
			walk(v.Field(n), seen, visit)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for n := range v.Len() {
			walk(v.Index(n), seen, visit)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			walk(k, seen, visit)
			walk(v.MapIndex(k), seen, visit)
		}
	}
}

func metrics(p *tokenproxy.Proxy) string {
	res := httptest.NewRecorder()
	p.Metrics()(res, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return res.Body.String()
}
