package tokenproxy_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/tokenproxy"
)

// behind is a network that ends at a handler.
type behind struct{ http.Handler }

func (b behind) RoundTrip(req *http.Request) (*http.Response, error) {
	res := httptest.NewRecorder()
	b.ServeHTTP(res, req)
	return res.Result(), nil
}

// TestAChainOfCaches: rfc9111 s5.2.1.4: that a token was refused is said to the cache behind this one, which has it too.
func TestAChainOfCaches(t *testing.T) {
	inner := newProxy(t, &upstream{}, nil)
	outer := newProxy(t, &upstream{}, func(cfg *tokenproxy.Config) { cfg.HTTPClient = &http.Client{Transport: behind{inner}} })
	if g := ask(outer, right); g.Token != "token-1" {
		t.Fatalf("%+v", g)
	}
	form := "grant_type=client_credentials&client_id=reader&client_secret=" + right
	if g := post(outer, form, "Cache-Control", "no-cache"); g.Token != "token-2" {
		t.Errorf("%+v, want another token than the one that was refused", g)
	}
	if g := ask(outer, right, "a"); g.Token != "token-3" {
		t.Errorf("another set of scopes: %+v", g)
	}
}
