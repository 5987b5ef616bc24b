package otelguard_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/otelguard"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
)

// about is attributes as pairs.
func about(pairs ...string) []attribute.KeyValue {
	var all []attribute.KeyValue
	for i := 0; i+1 < len(pairs); i += 2 {
		all = append(all, attribute.String(pairs[i], pairs[i+1]))
	}
	return all
}

func TestDecisionsAreCounted(t *testing.T) {
	s := newSystem(t, nil)
	issuer := s.issuer.URL()
	reader := s.issuer.As("reader", resource+"/orders.read").Token()
	for range 3 {
		s.get("/orders/1", reader)
	}
	s.get("/orders/2", s.issuer.As("writer", resource+"/orders.write").Token())
	s.get("/orders/2", "")
	s.get("/orders/2", "a.b.c")
	s.get("/anything/at/all", reader)
	s.get("/healthz", reader)

	order := []string{"http.route", "/orders/{id}", "http.request.method", "GET"}
	tests := map[string]struct {
		attributes []string
		want       float64
	}{
		"allow":                        {append([]string{"authz.decision", "allow", "issuer", issuer, "client", "other"}, order...), 3},
		"deny, insufficient scope":     {append([]string{"authz.decision", "deny", "error.type", "insufficient_scope", "issuer", issuer, "client", "other"}, order...), 1},
		"deny, no token":               {append([]string{"authz.decision", "deny", "error.type", "missing_token"}, order...), 1},
		"deny, no token that could be": {append([]string{"authz.decision", "deny", "error.type", "malformed_token"}, order...), 1},
		"would deny": {[]string{"authz.decision", "would_deny", "error.type", "insufficient_scope", "issuer", issuer, "client", "other",
			"http.route", "/anything/{rest...}", "http.request.method", "GET"}, 1},
	}
	for name, test := range tests {
		if got := s.value("authz.decisions", about(test.attributes...)...); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	total := 0.0
	for _, one := range s.collect() {
		if one.name == "authz.decisions" {
			total += one.value
		}
	}
	if total != 7 {
		t.Errorf("%v decisions, want 7: the public route has none", total)
	}
	if got := s.value("authz.decision.duration", about("authz.decision", "deny")...); got != 3 {
		t.Errorf("%v durations of refusals, want 3", got)
	}
}

func TestKeysAreMeasured(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	reader := metric.NewManualReader()
	o, err := otelguard.New(otelguard.Config{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader)), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	s := &system{t: t, reader: reader}
	issuer := about("issuer", "https://issuer.test")
	send := func(event countersign.KeyEvent) {
		event.Issuer = "https://issuer.test"
		o.Keys(event)
	}
	send(countersign.KeyEvent{Kind: countersign.KeysFailed, Duration: time.Second, Err: errors.New("no route")})
	for _, one := range s.collect() {
		if one.name == "jwks.age" {
			t.Error("an age is told of keys that nobody has")
		}
	}
	send(countersign.KeyEvent{Kind: countersign.KeysFetched, Keys: 2, Age: time.Second, Duration: time.Second})
	send(countersign.KeyEvent{Kind: countersign.KeysUnknownKid, Keys: 2, Age: 2 * time.Second})
	send(countersign.KeyEvent{Kind: countersign.KeysSuppressed, Keys: 2, Age: 3 * time.Second})
	send(countersign.KeyEvent{Kind: countersign.KeysWithdrawn, Keys: 1, Age: 4 * time.Second})
	now = now.Add(time.Minute)
	tests := map[string]struct {
		attributes []attribute.KeyValue
		want       float64
	}{
		"jwks.fetches":            {append(about("outcome", "ok"), issuer...), 1},
		"jwks.fetch.duration":     {append(about("outcome", "error"), issuer...), 1},
		"jwks.unknown_kid":        {issuer, 1},
		"jwks.suppressed_fetches": {issuer, 1},
		"jwks.withdrawn_keys":     {issuer, 1},
		"jwks.keys":               {issuer, 1},
		"jwks.age":                {issuer, 64},
	}
	for name, test := range tests {
		if got := s.value(name, test.attributes...); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	for _, one := range s.collect() {
		if one.name == "jwks.age" || one.name == "jwks.keys" {
			t.Errorf("%s is told after Close", one.name)
		}
	}
}

func TestOutageIsNoRefusal(t *testing.T) {
	s := newSystem(t, nil, func(c *countersign.Config) { c.HTTPClient = &http.Client{Transport: down{}} })
	if code := s.get("/orders/1", s.issuer.As("reader", resource+"/orders.read").Token()); code != http.StatusServiceUnavailable {
		t.Fatalf("status %d, want 503", code)
	}
	attributes := about("authz.decision", "error", "error.type", "keys_unavailable", "http.route", "/orders/{id}", "http.request.method", "GET")
	if got := s.value("authz.decisions", attributes...); got != 1 {
		t.Errorf("%v decisions, want 1", got)
	}
}

type down struct{}

func (down) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no route to the issuer")
}

func TestClockSkewIsMeasured(t *testing.T) {
	behind := func(c *countersign.Config) { c.Now = func() time.Time { return time.Now().Add(-30 * time.Second) } }
	s := newSystem(t, nil, behind)
	if code := s.get("/orders/1", s.issuer.As("reader", resource+"/orders.read").Token()); code != http.StatusOK {
		t.Fatalf("status %d: iat alone refuses nothing", code)
	}
	if got := s.value("auth.clock_skew", about("issuer", s.issuer.URL())...); got < 20 || got > 31 {
		t.Errorf("skew %v s, want about 30", got)
	}
}

func TestSpansHaveTheDecision(t *testing.T) {
	s := newSystem(t, nil)
	reader := s.issuer.As("reader", resource+"/orders.read").Token()
	s.get("/orders/1", reader)
	s.get("/orders/1", reader)
	s.get("/orders/1", "")
	want := []string{
		"authz.decision=allow authz.token.cached=false client=other issuer=" + s.issuer.URL(),
		"authz.decision=allow authz.token.cached=true client=other issuer=" + s.issuer.URL(),
		"authz.decision=deny authz.decision_id=… authz.token.cached=false error.type=missing_token",
	}
	for i, span := range s.spans.Ended() {
		var words []string
		set := attribute.NewSet(span.Attributes()...)
		for _, a := range set.ToSlice() {
			value := a.Value.String()
			if a.Key == "authz.decision_id" && len(value) == 16 {
				value = "…"
			}
			words = append(words, string(a.Key)+"="+value)
		}
		if got := strings.Join(words, " "); got != want[i] {
			t.Errorf("span %d: %s\nwant: %s", i, got, want[i])
		}
	}
}

func TestNewNamesEverythingThatIsWrong(t *testing.T) {
	clients := map[string]string{"": "nobody", "a": "", "b": strings.Repeat("b", 65)}
	for i := range 254 {
		clients[fmt.Sprintf("client-%d", i)] = "c"
	}
	_, err := otelguard.New(otelguard.Config{Clients: clients})
	if err == nil {
		t.Fatal("New accepts them")
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 4 {
		t.Errorf("%d problems, want 4:\n%v", len(lines), err)
	}
}
