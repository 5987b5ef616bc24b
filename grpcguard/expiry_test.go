package grpcguard_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/grpcguard"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

type bidi = grpc.BidiStreamingServer[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]

// almostOver is a guard's clock by which the token ends a moment after the guard has looked at it, its leeway of a minute counted.
func almostOver(t *testing.T, token string) func(*countersign.Config) {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	var claims struct{ Exp int64 }
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Exp == 0 {
		t.Fatalf("the token has no exp: %v", err)
	}
	now := time.Unix(claims.Exp, 0).Add(time.Minute - 200*time.Millisecond)
	return func(c *countersign.Config) { c.Now = func() time.Time { return now } }
}

// untilExpiry has the two methods end with the token.
var untilExpiry = grpcguard.Rules{
	duplex:    countersign.UntilExpiry(countersign.Scope("orders.read")),
	unaryCall: countersign.UntilExpiry(countersign.Scope("orders.read")),
}

func TestUntilExpiryEndsCalls(t *testing.T) {
	issuer, reader, _, _ := tokens(t)
	streams := map[string]func(bidi) error{
		"waiting for a message": func(stream bidi) error {
			for {
				if _, err := stream.Recv(); err != nil {
					return err
				}
			}
		},
		"sending to one who does not read": func(stream bidi) error {
			big := &pb.StreamingOutputCallResponse{Payload: &pb.Payload{Body: make([]byte, 1<<20)}}
			for {
				if err := stream.Send(big); err != nil {
					return err
				}
			}
		},
		"waiting for its context": func(stream bidi) error {
			<-stream.Context().Done()
			return stream.Context().Err()
		},
		"deaf to its context": func(stream bidi) error {
			for {
				if err := stream.Send(&pb.StreamingOutputCallResponse{}); err != nil {
					return nil // it takes the end for that of a client
				}
			}
		},
	}
	for name, method := range streams {
		t.Run("stream "+name, func(t *testing.T) {
			ended := make(chan error, 1)
			s := &service{stream: func(stream bidi) error {
				err := method(stream)
				ended <- err
				return err
			}}
			client := start(t, newGuard(t, issuer, rules(untilExpiry), almostOver(t, reader)), s)
			stream, err := client.FullDuplexCall(with(t, "Bearer "+reader))
			if err != nil {
				t.Fatal(err)
			}
			// Only now does the client begin to read: what the server cannot send waits.
			<-ended
			for err == nil {
				_, err = stream.Recv()
			}
			wantExpired(t, err, stream.Trailer().Get("www-authenticate"))
		})
	}
	t.Run("unary waiting for its context", func(t *testing.T) {
		s := &service{unary: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		trailer, err := kinds["unary"](with(t, "Bearer "+reader), start(t, newGuard(t, issuer, rules(untilExpiry), almostOver(t, reader)), s))
		wantExpired(t, err, trailer.Get("www-authenticate"))
	})
}

func wantExpired(t *testing.T, err error, challenge []string) {
	t.Helper()
	if status.Code(err) != codes.Unauthenticated || len(challenge) != 1 || challenge[0] != `Bearer error="invalid_token"` {
		t.Errorf("%v with challenge %q, want Unauthenticated and invalid_token", err, challenge)
	}
}

func TestUntilExpiryLeavesOtherEndsAlone(t *testing.T) {
	issuer, reader, _, _ := tokens(t)
	tests := map[string]struct {
		method func(bidi) error
		code   codes.Code
	}{
		"the method is done":         {func(bidi) error { return nil }, codes.OK},
		"the method fails":           {func(bidi) error { return status.Error(codes.NotFound, "no such order") }, codes.NotFound},
		"the method times out alone": {func(bidi) error { return context.DeadlineExceeded }, codes.DeadlineExceeded},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client := start(t, newGuard(t, issuer, rules(untilExpiry)), &service{stream: test.method})
			if _, err := kinds["stream"](with(t, "Bearer "+reader), client); status.Code(err) != test.code {
				t.Errorf("%v, want code %v", err, test.code)
			}
		})
	}
}

// A panic is met where it would be without the guard: in the goroutine of the server's own interceptors, which may recover.
func TestUntilExpiryPassesAPanicOn(t *testing.T) {
	issuer, reader, _, _ := tokens(t)
	recovers := grpc.ChainStreamInterceptor(func(service any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
		defer func() {
			if problem := recover(); problem != nil {
				err = status.Errorf(codes.DataLoss, "recovered: %v", problem)
			}
		}()
		return handler(service, ss)
	})
	s := &service{stream: func(bidi) error { panic("broken order") }}
	client := pb.NewTestServiceClient(connect(t, newGuard(t, issuer, rules(untilExpiry)), s, recovers))
	_, err := kinds["stream"](with(t, "Bearer "+reader), client)
	if status.Code(err) != codes.DataLoss || status.Convert(err).Message() != "recovered: broken order" {
		t.Errorf("%v, want the recovered panic", err)
	}
}
