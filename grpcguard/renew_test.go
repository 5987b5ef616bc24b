package grpcguard_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/grpcguard"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

// tokenList gives one token after the other, and the last one for ever.
type tokenList struct {
	tokens []string
	asked  atomic.Int64
}

func (l *tokenList) RoundTrip(*http.Request) (*http.Response, error) {
	n := min(int(l.asked.Add(1)), len(l.tokens))
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, l.tokens[n-1])
	return w.Result(), nil
}

func (l *tokenList) source(t *testing.T) *clientcredentials.Source {
	t.Helper()
	source, err := clientcredentials.New(clientcredentials.Config{
		TokenEndpoint: "https://issuer.test/oauth2/token", Credentials: clientcredentials.Static("reader", clientSecret), HTTPClient: &http.Client{Transport: l},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	return source
}

func TestRenew(t *testing.T) {
	issuer, reader, writer, _ := tokens(t)
	forged := reader[:len(reader)-8] + "AAAAAAAA"
	s, client := startTLS(t, issuer, true)
	for name, test := range map[string]struct {
		tokens   []string
		code     codes.Code
		requests int64
	}{
		"rfc6750 s3.1: invalid_token is replaced":          {[]string{forged, reader}, codes.OK, 2},
		"one that is good is not":                          {[]string{reader, writer}, codes.OK, 1},
		"a server that refuses all costs one request more": {[]string{forged, reader[:len(reader)-8] + "BBBBBBBB"}, codes.Unauthenticated, 2},
		"rfc6750 s3.1: not insufficient_scope":             {[]string{writer, reader}, codes.PermissionDenied, 1},
		"the same token again":                             {[]string{forged}, codes.Unauthenticated, 2},
	} {
		t.Run(name, func(t *testing.T) {
			list := &tokenList{tokens: test.tokens}
			source := list.source(t)
			stub := client(grpc.WithPerRPCCredentials(grpcguard.Credentials(source)), grpc.WithUnaryInterceptor(grpcguard.Renew(source)))
			_, before := s.last()
			for range 3 {
				if _, err := stub.UnaryCall(with(t), &pb.SimpleRequest{}); status.Code(err) != test.code {
					t.Errorf("%v, want code %v", err, test.code)
				}
			}
			if n := list.asked.Load(); n != test.requests {
				t.Errorf("%d token requests, want %d", n, test.requests)
			}
			if _, after := s.last(); (after-before == 3) != (test.code == codes.OK) {
				t.Errorf("%d calls reached the method", after-before)
			}
		})
	}
}
