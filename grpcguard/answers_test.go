package grpcguard_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/grpcguard"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// kinds are the two ways of a call through the interceptors.
var kinds = map[string]func(ctx context.Context, client pb.TestServiceClient) (metadata.MD, error){
	"unary": func(ctx context.Context, client pb.TestServiceClient) (trailer metadata.MD, err error) {
		_, err = client.UnaryCall(ctx, &pb.SimpleRequest{}, grpc.Trailer(&trailer))
		return trailer, err
	},
	"stream": func(ctx context.Context, client pb.TestServiceClient) (metadata.MD, error) {
		stream, err := client.FullDuplexCall(ctx)
		if err != nil {
			return nil, err
		}
		for err == nil {
			_, err = stream.Recv()
		}
		if err == io.EOF {
			err = nil
		}
		return stream.Trailer(), err
	},
}

func TestAnswers(t *testing.T) {
	issuer, reader, writer, nobody := tokens(t)
	forged := reader[:len(reader)-40] + strings.Map(func(r rune) rune {
		if r == 'A' {
			return 'B'
		}
		return 'A'
	}, reader[len(reader)-40:len(reader)-1]) + reader[len(reader)-1:]
	later := func(c *countersign.Config) { c.Now = func() time.Time { return time.Now().Add(2 * time.Hour) } }
	unreachable := func(c *countersign.Config) { c.HTTPClient = &http.Client{Transport: down{}} }
	tests := map[string]struct {
		send      []string
		change    []func(*countersign.Config)
		code      codes.Code
		challenge string
	}{
		"rfc6750 s2.1: the scope is there":              {[]string{"Bearer " + reader}, nil, codes.OK, ""},
		"rfc9110 s11.1: the scheme in another case":     {[]string{"bEARER " + reader}, nil, codes.OK, ""},
		"rfc6750 s3: no token, no error code":           {nil, nil, codes.Unauthenticated, `Bearer realm="https://api.example.com"`},
		"rfc6750 s3: another scheme":                    {[]string{"Basic YTpi"}, nil, codes.Unauthenticated, `Bearer realm="https://api.example.com"`},
		"rfc6750 s3.1: the scheme without a token":      {[]string{"Bearer"}, nil, codes.InvalidArgument, `Bearer error="invalid_request"`},
		"rfc6750 s3.1: repeated authorization":          {[]string{"Bearer " + reader, "Bearer " + reader}, nil, codes.InvalidArgument, `Bearer error="invalid_request"`},
		"rfc6750 s3.1: two tokens in one value":         {[]string{"Bearer " + reader + ", Bearer " + reader}, nil, codes.InvalidArgument, `Bearer error="invalid_request"`},
		"rfc6750 s3.1: forged":                          {[]string{"Bearer " + forged}, nil, codes.Unauthenticated, `Bearer error="invalid_token"`},
		"rfc7519 s4.1.4: expired":                       {[]string{"Bearer " + reader}, []func(*countersign.Config){later}, codes.Unauthenticated, `Bearer error="invalid_token"`},
		"rfc6750 s3.1: another scope":                   {[]string{"Bearer " + writer}, nil, codes.PermissionDenied, `Bearer error="insufficient_scope", scope="https://api.example.com/orders.read"`},
		"rfc8725 s3.9: a token for another resource":    {[]string{"Bearer " + nobody}, nil, codes.PermissionDenied, `Bearer error="insufficient_scope", scope="https://api.example.com/orders.read"`},
		"rfc6750 s3.1: no keys is no fault of a caller": {[]string{"Bearer " + reader}, []func(*countersign.Config){unreachable}, codes.Unavailable, ""},
	}
	for name, test := range tests {
		for kind, call := range kinds {
			t.Run(name+"/"+kind, func(t *testing.T) {
				s := &service{}
				client := start(t, newGuard(t, issuer, rules(nil), test.change...), s)
				trailer, err := call(with(t, test.send...), client)
				if got := status.Code(err); got != test.code {
					t.Fatalf("code %v, want %v: %v", got, test.code, err)
				}
				if got := strings.Join(trailer.Get("www-authenticate"), "|"); got != test.challenge {
					t.Errorf("challenge %q, want %q", got, test.challenge)
				}
				if got, want := len(trailer.Get("grpc-retry-pushback-ms")), test.code == codes.Unavailable; got == 1 != want {
					t.Errorf("%d times to retry at, code %v", got, test.code)
				}
				if _, reached := s.last(); (reached == 1) != (test.code == codes.OK) {
					t.Errorf("the method ran %d times, code %v", reached, test.code)
				}
				wantNoToken(t, err, trailer, reader, writer, nobody, forged)
			})
		}
	}
}

// wantNoToken fails when a part of a token is in what a caller, and with it every proxy and log between, gets to see.
func wantNoToken(t *testing.T, err error, trailer metadata.MD, tokens ...string) {
	t.Helper()
	text := status.Convert(err).Message()
	for key, values := range trailer {
		text += key + strings.Join(values, " ")
	}
	for _, token := range tokens {
		for part := range strings.SplitSeq(token, ".") {
			if strings.Contains(text, part[:16]) {
				t.Errorf("part of a token in %q", text)
			}
		}
	}
}

func TestTheStatusNamesTheDecisionThatTheLogHas(t *testing.T) {
	issuer, _, writer, _ := tokens(t)
	seen := &recorder{}
	client := start(t, newGuard(t, issuer, rules(nil), func(c *countersign.Config) { c.Observer = seen }), &service{})
	_, err := client.UnaryCall(with(t, "Bearer "+writer), &pb.SimpleRequest{})
	event := seen.only(t)
	if want := "countersign: insufficient_scope, decision " + event.ID; status.Convert(err).Message() != want || len(event.ID) != 16 {
		t.Errorf("message %q, want %q", status.Convert(err).Message(), want)
	}
	if event.Route != "POST "+unaryCall || event.Method != http.MethodPost || event.Reason != countersign.InsufficientScope {
		t.Errorf("event %+v", event)
	}
}

func TestMethodsKnowTheirCaller(t *testing.T) {
	issuer, reader, writer, _ := tokens(t)
	s := &service{}
	client := start(t, newGuard(t, issuer, rules(grpcguard.Rules{duplex: countersign.Report(countersign.Scope("orders.read"))})), s)
	tests := map[string]struct {
		call   func() error
		scopes string
		known  bool
	}{
		"unary":                           {func() error { _, err := kinds["unary"](with(t, "Bearer "+reader), client); return err }, "orders.read", true},
		"stream":                          {func() error { _, err := kinds["stream"](with(t, "Bearer "+reader), client); return err }, "orders.read", true},
		"stream, only reported":           {func() error { _, err := kinds["stream"](with(t, "Bearer "+writer), client); return err }, "orders.write", true},
		"stream, only reported, no token": {func() error { _, err := kinds["stream"](with(t), client); return err }, "", false},
		"public":                          {func() error { _, err := client.EmptyCall(with(t), &pb.Empty{}); return err }, "", false},
		"public, with a token":            {func() error { _, err := client.EmptyCall(with(t, "Bearer "+reader), &pb.Empty{}); return err }, "orders.read", true},
		"public, with a bad token":        {func() error { _, err := client.EmptyCall(with(t, "Bearer x.y.z"), &pb.Empty{}); return err }, "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := test.call(); err != nil {
				t.Fatal(err)
			}
			caller, _ := s.last()
			if caller.IsZero() == test.known || strings.Join(caller.Scopes, " ") != test.scopes {
				t.Errorf("caller %q with scopes %q, want %q", caller.ClientID, caller.Scopes, test.scopes)
			}
		})
	}
}
