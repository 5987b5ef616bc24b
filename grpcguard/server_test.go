package grpcguard_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/countersigntest"
	"github.com/countersign-dev/countersign/grpcguard"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"
)

const resource = "https://api.example.com"

// The methods of the service under test.
const (
	unaryCall = "/grpc.testing.TestService/UnaryCall"
	emptyCall = "/grpc.testing.TestService/EmptyCall"
	duplex    = "/grpc.testing.TestService/FullDuplexCall"
	output    = "/grpc.testing.TestService/StreamingOutputCall"
)

// rules are those of a service of which every method has one. A test overrides what it is about.
func rules(override grpcguard.Rules) grpcguard.Rules {
	all := grpcguard.Rules{
		unaryCall: countersign.Scope("orders.read"),
		duplex:    countersign.Scope("orders.read"),
		emptyCall: countersign.Public("liveness probe"),
	}
	for _, name := range []string{"CacheableUnaryCall", "StreamingOutputCall", "StreamingInputCall", "HalfDuplexCall", "UnimplementedCall"} {
		all["/grpc.testing.TestService/"+name] = countersign.Authenticated()
	}
	for method, rule := range override {
		all[method] = rule
	}
	return all
}

// service is what the calls reach. Each method says what it saw of the caller.
type service struct {
	pb.UnimplementedTestServiceServer
	unary  func(context.Context) error
	stream func(grpc.BidiStreamingServer[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]) error

	mu      sync.Mutex
	callers []countersign.Caller
}

func (s *service) saw(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callers = append(s.callers, countersign.CallerFrom(ctx))
}

// last is the caller of the last call that reached a method, and the number of those.
func (s *service) last() (countersign.Caller, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.callers) == 0 {
		return countersign.Caller{}, 0
	}
	return s.callers[len(s.callers)-1], len(s.callers)
}

func (s *service) EmptyCall(ctx context.Context, _ *pb.Empty) (*pb.Empty, error) {
	s.saw(ctx)
	return &pb.Empty{}, nil
}

func (s *service) UnaryCall(ctx context.Context, _ *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	s.saw(ctx)
	if s.unary != nil {
		if err := s.unary(ctx); err != nil {
			return nil, err
		}
	}
	return &pb.SimpleResponse{}, nil
}

func (s *service) FullDuplexCall(stream grpc.BidiStreamingServer[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]) error {
	s.saw(stream.Context())
	if s.stream != nil {
		return s.stream(stream)
	}
	return stream.Send(&pb.StreamingOutputCallResponse{})
}

// start serves the service behind the guard and returns a client of it.
func start(t *testing.T, g *grpcguard.Guard, s *service) pb.TestServiceClient {
	t.Helper()
	return pb.NewTestServiceClient(connect(t, g, s))
}

func connect(t *testing.T, g *grpcguard.Guard, s *service, options ...grpc.ServerOption) *grpc.ClientConn {
	t.Helper()
	server := grpc.NewServer(append(options, g.ServerOptions()...)...)
	pb.RegisterTestServiceServer(server, s)
	if err := g.Check(server); err != nil {
		t.Fatal(err)
	}
	return dial(t, serve(t, server), grpc.WithTransportCredentials(insecure.NewCredentials()))
}

func serve(t *testing.T, server *grpc.Server) *bufconn.Listener {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return listener
}

func dial(t *testing.T, listener *bufconn.Listener, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	options = append(options, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	conn, err := grpc.NewClient("passthrough:///api.example.com", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// newGuard is the gRPC side of a guard of the issuer, whose configuration can be changed.
func newGuard(t *testing.T, issuer *countersigntest.Issuer, methods grpcguard.Rules, change ...func(*countersign.Config)) *grpcguard.Guard {
	t.Helper()
	cfg := countersign.Config{Issuer: issuer.URL(), Resource: resource, Profile: countersign.Cognito, HTTPClient: issuer.HTTPClient(), Logger: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&cfg)
	}
	guard, err := countersign.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { guard.Close() })
	g, err := grpcguard.New(guard, methods)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// tokens is an issuer and its tokens with one scope, with another, and with none of the resource.
func tokens(t *testing.T) (issuer *countersigntest.Issuer, reader, writer, nobody string) {
	t.Helper()
	issuer = countersigntest.NewIssuer(t)
	return issuer,
		issuer.As("reader", resource+"/orders.read").Token(),
		issuer.As("writer", resource+"/orders.write").Token(),
		issuer.As("nobody").Token()
}

// with is a context whose call has these authorization values.
func with(t *testing.T, values ...string) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	for _, value := range values {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", value)
	}
	return ctx
}

// down is an issuer that cannot be reached.
type down struct{}

func (down) RoundTrip(*http.Request) (*http.Response, error) { return nil, net.ErrClosed }
