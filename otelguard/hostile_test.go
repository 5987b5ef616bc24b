package otelguard_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
)

// allowed is every value that an attribute may have, whatever is sent: from the code, and from this test's configuration.
func allowed(issuer string) map[string]bool {
	all := map[string]bool{issuer: true, "/orders/{id}": true, "/anything/{rest...}": true, "reader": true, "other": true, "_OTHER": true, "ok": true, "error": true}
	for _, d := range []countersign.Decision{countersign.Allow, countersign.Deny, countersign.Unable, countersign.WouldDeny, countersign.Probed} {
		all[string(d)] = true
	}
	for _, r := range []countersign.Reason{
		countersign.MissingToken, countersign.MalformedRequest, countersign.TokenInQuery, countersign.AmbiguousPath, countersign.MalformedToken, countersign.BadHeader,
		countersign.BadAlgorithm, countersign.BadClaims, countersign.BadIssuer, countersign.BadAudience, countersign.BadTokenUse, countersign.BadClient,
		countersign.Expired, countersign.NotYetValid, countersign.UnknownKey, countersign.BadSignature, countersign.InsufficientScope,
		countersign.ClientNotAllowed, countersign.KeysUnavailable,
	} {
		all[string(r)] = true
	}
	for _, m := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"} {
		all[m] = true
	}
	return all
}

// sender makes requests of which every part that a sender chooses is new.
type sender struct {
	random  *rand.Rand
	issuer  string
	good    []string // tokens of the issuer
	secrets []string // what must be in no output
}

// name is a word that no other request has, of characters that labels and logs stumble over.
func (s *sender) name() string {
	word := fmt.Sprintf("h%016x", s.random.Uint64())
	s.secrets = append(s.secrets, word)
	return word + []string{"", `"`, "\n", "{}", "=", "…", "\x7f"}[s.random.IntN(7)]
}

// token is a token of the sender's own: each of its names is new, or the one that gets it further.
func (s *sender) token() string {
	pick := func(usual string) string {
		if s.random.IntN(2) == 0 {
			return usual
		}
		return s.name()
	}
	encode := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	header := map[string]any{"alg": pick("RS256"), "kid": s.name()}
	if s.random.IntN(4) == 0 {
		header["typ"] = s.name()
	}
	claims := map[string]any{
		"iss": pick(s.issuer), "client_id": s.name(), "sub": s.name(), "jti": s.name(), "token_use": pick("access"),
		"scope": pick(resource + "/orders.read"), "exp": 4102444800, "iat": s.random.IntN(1 << 31), s.name(): s.name(),
	}
	return encode(header) + "." + encode(claims) + "." + base64.RawURLEncoding.EncodeToString([]byte(s.name()+s.name()))
}

func (s *sender) request() *http.Request {
	path := "/orders/" + url.PathEscape(s.name())
	if s.random.IntN(2) == 0 {
		path = "/anything/" + url.PathEscape(s.name())
	}
	if s.random.IntN(8) == 0 {
		path += "?access_token=" + url.QueryEscape(s.name())
	}
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if s.random.IntN(3) == 0 {
		r.Method = strings.ToUpper(fmt.Sprintf("h%x", s.random.Uint32()))
		s.secrets = append(s.secrets, r.Method)
	}
	value := "Bearer " + s.token()
	switch s.random.IntN(4) {
	case 0:
		value = s.name() + " " + s.token()
	case 1:
		value = "Bearer " + s.good[s.random.IntN(len(s.good))]
	}
	r.Header["Authorization"] = []string{value}
	r.Host = s.name()
	r.Header.Set("X-Forwarded-For", s.name())
	return r
}

// Whatever is sent, no series is there that the configuration and the code do not have, and nothing of what was sent is in any output.
func TestHostileInputMakesNoSeriesAndIsInNoOutput(t *testing.T) {
	clients := map[string]string{}
	s := newSystem(t, clients)
	send := &sender{random: rand.New(rand.NewPCG(1, 2)), issuer: s.issuer.URL()}
	// Good tokens of many clients: their ids are verified, and still no series.
	for i := range 40 {
		token := s.issuer.As(fmt.Sprintf("client-%d", i), resource+"/orders.read").Token()
		send.good = append(send.good, token)
		send.secrets = append(send.secrets, parts(t, token)...)
	}
	for range 1000 {
		s.do(send.request())
	}
	values, all := allowed(s.issuer.URL()), s.collect()
	for _, one := range all {
		for _, a := range one.attributes.ToSlice() {
			if !values[a.Value.String()] {
				t.Errorf("%s has the series %s=%q", one.name, a.Key, a.Value.String())
			}
		}
	}
	text := s.everything()
	for _, secret := range send.secrets {
		if strings.Contains(text, secret) {
			t.Fatalf("%q of a request is in an output", secret)
		}
	}
	for range 1000 {
		s.do(send.request())
	}
	// The rarest outcomes may show for the first time; what a sender could multiply would have doubled.
	if after := len(s.collect()); after > len(all)+len(all)/4 {
		t.Errorf("%d series, and %d after as many requests again: they grow with what is sent", len(all), after)
	}
	// Two routes with at most ten methods and a dozen outcomes each, and some series without a route.
	if most := 2*10*12 + 20; len(all) > most {
		t.Errorf("%d series, more than %d", len(all), most)
	}
}

// parts are what of a good token must be in no output: its three parts, its jti, and the client's id, which the configuration does not name.
func parts(t *testing.T, token string) []string {
	t.Helper()
	split := strings.Split(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(split[1])
	var claims struct {
		JTI    string `json:"jti"`
		Client string `json:"client_id"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.JTI == "" || claims.Client == "" {
		t.Fatalf("a token without jti or client_id: %v", err)
	}
	return slices.Concat(split, []string{claims.JTI, claims.Client})
}

func TestNamedClientsAreToldApart(t *testing.T) {
	// The id is the issuer's to choose, so that it is known only now: a first system finds it, as an operator would in the console.
	ids := map[string]string{}
	s := newSystem(t, ids)
	token := s.issuer.As("reader", resource+"/orders.read").Token()
	var claims struct {
		Client string `json:"client_id"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		t.Fatal(err)
	}
	ids[claims.Client] = "reader" // too late: New has taken a copy
	s.get("/orders/1", token)
	attributes := []string{"authz.decision", "allow", "issuer", s.issuer.URL(), "client", "other", "http.route", "/orders/{id}", "http.request.method", "GET"}
	if got := s.value("authz.decisions", about(attributes...)...); got != 1 {
		t.Errorf("%v decisions about the client that nobody named, want 1", got)
	}
	named := newSystem(t, ids, func(c *countersign.Config) { c.Issuer, c.HTTPClient = s.issuer.URL(), s.issuer.HTTPClient() })
	named.get("/orders/1", token)
	attributes[5] = "reader"
	if got := named.value("authz.decisions", about(attributes...)...); got != 1 {
		t.Errorf("%v decisions about the client reader, want 1", got)
	}
}
