package prove_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

// answering gives everybody the same answer.
func answering(status int, challenge string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if challenge != "" {
			w.Header().Set("WWW-Authenticate", challenge)
		}
		w.WriteHeader(status)
	})
}

// A row says what was wrong in words that lead to the one who answered.
func TestNotes(t *testing.T) {
	p := policyOf(countersign.Route{Pattern: "GET /orders", Rule: countersign.Scope("orders.read")})
	const none, right = "401 no token", "allowed with orders.read"
	for _, tt := range []struct {
		name    string
		service http.Handler
		row     string
		want    string
	}{
		{"a sign-in page", answering(http.StatusFound, ""), none, "redirected, as to a page where people sign in"},
		{"200 for everybody", answering(http.StatusOK, ""), none, "admitted, though it must be refused"},
		{"a firewall", answering(http.StatusForbidden, ""), right, "not the guard refused, but a firewall or a gateway in front, or the handler"},
		{"a firewall that does not like the token", answering(http.StatusForbidden, ""), "bad token JSON serialization", "refused with another status; it has no Bearer challenge: not the guard refused, but a firewall"},
		{"the guard", answering(http.StatusForbidden, `Bearer error="insufficient_scope"`), right, "refused, though the policy admits it"},
		{"a proxy without the header", answering(http.StatusUnauthorized, "Bearer"), right, "something in front may have taken the Authorization header away"},
		{"a token that is not believed", answering(http.StatusUnauthorized, `Bearer error="invalid_token"`), right, "refused, though the policy admits it"},
		{"rfc9110 s15.5.8: a proxy's credentials", answering(http.StatusProxyAuthRequired, ""), right, "something in front of the service answered"},
		{"rfc9110 s15.5.20: misdirected", answering(http.StatusMisdirectedRequest, ""), right, "something in front of the service answered"},
		{"rfc6585 s5: the header is too large", answering(http.StatusRequestHeaderFieldsTooLarge, ""), right, "something in front of the service answered"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			row := find(t, run(t, config(p, tt.service)), "GET /orders", tt.row)
			if row.State != prove.Different || !strings.Contains(row.Note, tt.want) || strings.Contains(row.Note, "firewall") != strings.Contains(tt.want, "firewall") {
				t.Errorf("%s", row)
			}
		})
	}
}

// RFC 9110, Section 9.1: to a method that a server does not know it says 501, as servlet containers say to "get".
func TestMethodsThatAreNotImplemented(t *testing.T) {
	api := ordersAPI(t)
	service := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead || r.Method != strings.ToUpper(r.Method) {
			w.WriteHeader(http.StatusNotImplemented)
			return
		}
		api.ServeHTTP(w, r)
	})
	if err := run(t, config(api.Policy(), service)).Err(); err != nil {
		t.Error(err)
	}
}
