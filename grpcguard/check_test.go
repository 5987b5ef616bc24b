package grpcguard_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/countersigntest"
	"github.com/countersign-dev/countersign/grpcguard"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
)

func TestNewNamesEverythingThatIsWrong(t *testing.T) {
	guard := countersigntest.NewIssuer(t).Guard(resource)
	_, err := grpcguard.New(guard, grpcguard.Rules{
		unaryCall:                   {},
		"orders.Orders/Get":         countersign.Authenticated(),
		"/orders.Orders/":           countersign.Authenticated(),
		"/orders.Orders/{method}":   countersign.Authenticated(),
		"/orders.Orders/..":         countersign.Authenticated(),
		"/orders.Orders/Get/":       countersign.Authenticated(),
		"/orders.Orders/List":       countersign.Scope(resource + "/orders.read"),
		"/orders.Orders/Everything": countersign.Authenticated(),
	})
	if err == nil {
		t.Fatal("New accepts them")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 7 || strings.Contains(err.Error(), "Everything") {
		t.Errorf("%d problems, want 7:\n%v", len(lines), err)
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, "grpcguard: ") || !strings.Contains(line, " (New at check_test.go:") || strings.Contains(line, "grpcguard.go") {
			t.Errorf("line %q", line)
		}
	}
	if _, err := grpcguard.New(guard, nil); err == nil {
		t.Error("New accepts no rules at all")
	}
	if _, err := grpcguard.New(nil, rules(nil)); err == nil {
		t.Error("New accepts no guard")
	}
}

func TestCheckNamesMethodsWithoutRuleAndRulesWithoutMethod(t *testing.T) {
	const (
		check   = "/grpc.health.v1.Health/Check"
		list    = "/grpc.health.v1.Health/List"
		watch   = "/grpc.health.v1.Health/Watch"
		reflect = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
		alpha   = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
		absent  = "/grpc.testing.TestService/UnaryCal"
	)
	public := countersign.Public("probes")
	tests := map[string]struct {
		rules grpcguard.Rules
		named []string
	}{
		"nothing but the service": {nil, []string{check, list, watch, reflect, alpha}},
		"health, not reflection":  {grpcguard.Rules{check: public, list: public, watch: public}, []string{reflect, alpha}},
		"all":                     {grpcguard.Rules{check: public, list: public, watch: public, reflect: public, alpha: public}, nil},
		"a typing error": {
			grpcguard.Rules{check: public, list: public, watch: public, reflect: public, alpha: public, absent: countersign.Authenticated()},
			[]string{absent},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g, err := grpcguard.New(countersigntest.NewIssuer(t).Guard(resource), rules(test.rules))
			if err != nil {
				t.Fatal(err)
			}
			server := grpc.NewServer(g.ServerOptions()...)
			pb.RegisterTestServiceServer(server, &service{})
			healthpb.RegisterHealthServer(server, health.NewServer())
			reflection.Register(server)
			var named []string
			if err := g.Check(server); err != nil {
				for _, word := range strings.FieldsFunc(err.Error(), func(r rune) bool { return r == ' ' || r == ',' || r == '\n' }) {
					if strings.HasPrefix(word, "/") {
						named = append(named, word)
					}
				}
				if !strings.Contains(err.Error(), "check_test.go:") {
					t.Errorf("the error does not name the line of New: %v", err)
				}
			}
			if !slices.Equal(named, test.named) {
				t.Errorf("named %q, want %q", named, test.named)
			}
		})
	}
}

func TestNothingIsServedWithoutCheck(t *testing.T) {
	issuer, reader, _, _ := tokens(t)
	g := newGuard(t, issuer, rules(nil))
	server := grpc.NewServer(g.ServerOptions()...)
	s := &service{}
	pb.RegisterTestServiceServer(server, s)
	client := pb.NewTestServiceClient(dial(t, serve(t, server), grpc.WithTransportCredentials(insecure.NewCredentials())))
	for kind, call := range kinds {
		if _, err := call(with(t, "Bearer "+reader), client); status.Code(err) != codes.Internal {
			t.Errorf("%s: %v, want code Internal", kind, err)
		}
	}
	if _, err := client.EmptyCall(with(t), &pb.Empty{}); status.Code(err) != codes.Internal {
		t.Errorf("public: %v, want code Internal", err)
	}
	if _, reached := s.last(); reached != 0 {
		t.Errorf("%d calls reached a method", reached)
	}
	if err := g.Check(server); err != nil {
		t.Fatal(err)
	}
	if _, err := client.UnaryCall(with(t, "Bearer "+reader), &pb.SimpleRequest{}); err != nil {
		t.Error(err)
	}
}

// A server that forwards what it does not know has methods that Check cannot see.
func TestAMethodThatCheckCannotSeeIsNotThere(t *testing.T) {
	issuer, reader, _, _ := tokens(t)
	forwarded := make(chan bool, 1)
	conn := connect(t, newGuard(t, issuer, rules(nil)), &service{}, grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
		forwarded <- true
		return nil
	}))
	for _, method := range []string{"/orders.Orders/Get", "/grpc.testing.TestService/unaryCall", "/grpc.testing.TestService/UnaryCall/", "//grpc.testing.TestService/UnaryCall"} {
		err := conn.Invoke(with(t, "Bearer "+reader), method, &pb.Empty{}, &pb.Empty{})
		if status.Code(err) != codes.Unimplemented || len(forwarded) > 0 {
			t.Errorf("%s: %v, forwarded %d; want Unimplemented and nothing", method, err, len(forwarded))
		}
	}
}
