package otelguard_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/otelguard"
	"go.opentelemetry.io/otel/sdk/metric"
)

// observedClient is an observer with what it measured.
func observedClient(t *testing.T) (*otelguard.ClientObserver, *system) {
	t.Helper()
	s := &system{t: t, reader: metric.NewManualReader()}
	o, err := otelguard.NewClient(otelguard.Config{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(s.reader)), Clients: map[string]string{"id-of-reader": "reader"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return o, s
}

func TestTokenRequestsAreCounted(t *testing.T) {
	o, s := observedClient(t)
	for range 2 {
		o.TokenRequest(clientcredentials.TokenRequestEvent{ClientID: "id-of-reader", Granted: true, Status: 200, Duration: time.Second})
	}
	o.TokenRequest(clientcredentials.TokenRequestEvent{ClientID: "id-of-reader", Granted: true, Status: 200, Fallback: true})
	o.TokenRequest(clientcredentials.TokenRequestEvent{ClientID: "id-of-reader", Status: 400, Code: clientcredentials.InvalidClient, Fallback: true})
	o.TokenRequest(clientcredentials.TokenRequestEvent{ClientID: "somebody", Status: 503})
	o.TokenRequest(clientcredentials.TokenRequestEvent{ClientID: "somebody"})
	o.OverBudget(clientcredentials.OverBudgetEvent{ClientID: "id-of-reader"})
	o.Resend(t.Context(), clientcredentials.ResendEvent{Method: "POST"})
	o.Resend(t.Context(), clientcredentials.ResendEvent{Method: "BREW"})
	for _, c := range []struct {
		name       string
		attributes []string
		want       float64
	}{
		{"oauth.client.token.requests", []string{"client", "reader", "outcome", "granted"}, 3},
		{"oauth.client.token.requests", []string{"client", "reader", "outcome", "error", "error.type", "invalid_client"}, 1},
		{"oauth.client.token.requests", []string{"client", "other", "outcome", "error", "error.type", "503"}, 1},
		{"oauth.client.token.requests", []string{"client", "other", "outcome", "error", "error.type", "no_answer"}, 1},
		{"oauth.client.credential.fallbacks", []string{"client", "reader"}, 1},
		{"oauth.client.over_budget", []string{"client", "reader"}, 1},
		{"oauth.client.retry_after_401", []string{"http.request.method", "POST"}, 1},
		{"oauth.client.retry_after_401", []string{"http.request.method", "_OTHER"}, 1},
	} {
		if got := s.value(c.name, about(c.attributes...)...); got != c.want {
			t.Errorf("%s %v: %v, want %v", c.name, c.attributes, got, c.want)
		}
	}
	var measured []string
	for _, one := range s.collect() {
		measured = append(measured, one.name)
	}
	slices.Sort(measured)
	measured = slices.Compact(measured)
	for file, pattern := range map[string]string{
		"../docs/observability.md": "(?m)^\\| `(oauth\\.client\\.[a-z0-9_.]+)` \\|", "client.go": `(?m)^//\t(oauth\.client\.[a-z0-9_.]+) `,
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var listed []string
		for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			listed = append(listed, found[1])
		}
		slices.Sort(listed)
		if !slices.Equal(listed, measured) {
			t.Errorf("%s lists %q, measured is %q", file, listed, measured)
		}
	}
}

func ExampleNewClient() {
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"opaque","token_type":"Bearer","expires_in":3600}`)
	}))
	defer issuer.Close()
	observer, err := otelguard.NewClient(otelguard.Config{Clients: map[string]string{"5ta1iem1062c8kbhvl8e249qc0": "reader"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	source, err := clientcredentials.New(clientcredentials.Config{
		TokenEndpoint: issuer.URL,
		Credentials:   clientcredentials.Static("5ta1iem1062c8kbhvl8e249qc0", "s3cret"),
		Observer:      observer,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	_, err = source.Token(context.Background())
	fmt.Println(err)
	// Output: <nil>
}
