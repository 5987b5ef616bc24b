package clientcredentials_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

func BenchmarkToken(b *testing.B) {
	s := (&issuer{}).source(b, nil)
	token(b, s)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Token(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTokenParallel(b *testing.B) {
	s := (&issuer{}).source(b, nil)
	token(b, s)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Token(context.Background()); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkTransport measures what Transport adds: the base transport does nothing.
func BenchmarkTransport(b *testing.B) {
	s := (&issuer{}).source(b, nil)
	answer := &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(""))}
	rt := s.Transport(roundTripper(func(*http.Request) (*http.Response, error) { return answer, nil }))
	req, err := http.NewRequest(http.MethodGet, "https://api.example.com/api/demo", nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"Accept", "User-Agent", "Traceparent", "X-Request-Id"} {
		req.Header.Set(name, "value")
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rt.RoundTrip(req); err != nil {
			b.Fatal(err)
		}
	}
}
