package grpcguard_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/countersigntest"
	"github.com/countersign-dev/countersign/grpcguard"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

// fixedToken is a token endpoint that gives one token, or an answer of the test's.
type fixedToken struct {
	token  string
	status int
	body   string
}

func (f fixedToken) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	if f.token == "" && f.status == 0 {
		return nil, errors.New("no route to the issuer")
	}
	if f.status != 0 {
		w.WriteHeader(f.status)
		fmt.Fprint(w, f.body)
	} else {
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, f.token)
	}
	res := w.Result()
	res.Request = r
	return res, nil
}

const clientSecret = "a-secret-that-nobody-may-see"

func newSource(t *testing.T, endpoint fixedToken) *clientcredentials.Source {
	t.Helper()
	source, err := clientcredentials.New(clientcredentials.Config{
		TokenEndpoint: "https://issuer.test/oauth2/token",
		Credentials:   clientcredentials.Static("reader", clientSecret),
		HTTPClient:    &http.Client{Transport: endpoint},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	return source
}

// startTLS serves the service over TLS, and over plain text when tls is false, and returns the options of a client that trusts it.
func startTLS(t *testing.T, issuer *countersigntest.Issuer, tls bool) (*service, func(options ...grpc.DialOption) pb.TestServiceClient) {
	t.Helper()
	var options []grpc.ServerOption
	transport := insecure.NewCredentials()
	if tls {
		web := httptest.NewTLSServer(nil) // for its certificate, which is for example.com
		t.Cleanup(web.Close)
		options = append(options, grpc.Creds(credentials.NewServerTLSFromCert(&web.TLS.Certificates[0])))
		pool := x509.NewCertPool()
		pool.AddCert(web.Certificate())
		transport = credentials.NewClientTLSFromCert(pool, "example.com")
	}
	g := newGuard(t, issuer, rules(nil))
	server := grpc.NewServer(append(options, g.ServerOptions()...)...)
	s := &service{}
	pb.RegisterTestServiceServer(server, s)
	if err := g.Check(server); err != nil {
		t.Fatal(err)
	}
	listener := serve(t, server)
	return s, func(options ...grpc.DialOption) pb.TestServiceClient {
		return pb.NewTestServiceClient(dial(t, listener, append(options, grpc.WithTransportCredentials(transport))...))
	}
}

func TestCredentialsOverTLS(t *testing.T) {
	issuer, reader, _, _ := tokens(t)
	s, client := startTLS(t, issuer, true)
	source := newSource(t, fixedToken{token: reader})
	for name, creds := range map[string]credentials.PerRPCCredentials{
		"strict": grpcguard.Credentials(source), "loopback": grpcguard.InsecureLoopbackCredentials(source),
	} {
		for kind, call := range kinds {
			t.Run(name+"/"+kind, func(t *testing.T) {
				if _, err := call(with(t), client(grpc.WithPerRPCCredentials(creds))); err != nil {
					t.Error(err)
				}
				if caller, _ := s.last(); !caller.HasScope("orders.read") {
					t.Errorf("caller %+v", caller)
				}
			})
		}
	}
}

func TestCredentialsRefuseAConnectionWithoutEncryption(t *testing.T) {
	issuer, reader, _, _ := tokens(t)
	source := newSource(t, fixedToken{token: reader})
	t.Run("on the connection", func(t *testing.T) {
		_, err := grpc.NewClient("passthrough:///localhost", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(grpcguard.Credentials(source)))
		if err == nil {
			t.Error("gRPC makes a client that sends the token over plain text")
		}
	})
	s, client := startTLS(t, issuer, false)
	tests := map[string]struct {
		authority string
		creds     credentials.PerRPCCredentials
		code      codes.Code
	}{
		"strict":                              {"localhost", grpcguard.Credentials(source), codes.Unauthenticated},
		"loopback, another host":              {"api.example.com", grpcguard.InsecureLoopbackCredentials(source), codes.Unauthenticated},
		"loopback, a name that looks like it": {"localhost.example.com", grpcguard.InsecureLoopbackCredentials(source), codes.Unauthenticated},
		"loopback, another address":           {"10.0.0.1:50051", grpcguard.InsecureLoopbackCredentials(source), codes.Unauthenticated},
		"loopback, localhost":                 {"localhost:50051", grpcguard.InsecureLoopbackCredentials(source), codes.OK},
		"loopback, 127.0.0.1":                 {"127.0.0.1:50051", grpcguard.InsecureLoopbackCredentials(source), codes.OK},
		"loopback, ::1":                       {"[::1]:50051", grpcguard.InsecureLoopbackCredentials(source), codes.OK},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, before := s.last()
			_, err := client(grpc.WithAuthority(test.authority)).UnaryCall(with(t), &pb.SimpleRequest{}, grpc.PerRPCCredentials(test.creds))
			if status.Code(err) != test.code {
				t.Errorf("%v, want code %v", err, test.code)
			}
			if _, after := s.last(); (after > before) != (test.code == codes.OK) {
				t.Errorf("%d calls reached the method, code %v", after-before, test.code)
			}
		})
	}
}

func TestCredentialsWithoutAToken(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	_, client := startTLS(t, issuer, true)
	tests := map[string]struct {
		endpoint fixedToken
		code     codes.Code
	}{
		"the issuer cannot be reached": {fixedToken{}, codes.Unavailable},
		"the issuer fails":             {fixedToken{status: 500}, codes.Unavailable},
		"rfc6749 s5.2: invalid_client": {fixedToken{status: 400, body: `{"error":"invalid_client","error_description":"` + clientSecret + `"}`}, codes.Unauthenticated},
		"rfc6749 s5.2: invalid_scope":  {fixedToken{status: 400, body: `{"error":"invalid_scope"}`}, codes.Unauthenticated},
	}
	for name, test := range tests {
		for _, place := range []string{"connection", "call"} {
			t.Run(name+"/"+place, func(t *testing.T) {
				t.Parallel() // the source tries for some seconds
				creds := grpcguard.Credentials(newSource(t, test.endpoint))
				var err error
				if place == "connection" {
					_, err = client(grpc.WithPerRPCCredentials(creds)).UnaryCall(with(t), &pb.SimpleRequest{})
				} else {
					_, err = client().UnaryCall(with(t), &pb.SimpleRequest{}, grpc.PerRPCCredentials(creds))
				}
				if status.Code(err) != test.code || strings.Contains(fmt.Sprint(err), clientSecret) {
					t.Errorf("%v, want code %v and no secret", err, test.code)
				}
			})
		}
	}
}
