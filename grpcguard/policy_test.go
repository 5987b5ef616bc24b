package grpcguard_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/countersigntest"
	"github.com/countersign-dev/countersign/grpcguard"
	pb "google.golang.org/grpc/interop/grpc_testing"
)

// Every method, with every bad token that package prove has.
func TestEveryMethodIsProved(t *testing.T) {
	g, err := grpcguard.New(countersigntest.NewIssuer(t).Guard(resource), rules(nil))
	if err != nil {
		t.Fatal(err)
	}
	countersigntest.Matrix(t, g)
}

func TestPolicyIsTheTableOfTheRules(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	guard, err := countersign.New(countersign.Config{
		Issuer: issuer.URL(), Resource: resource, Profile: countersign.Cognito, HTTPClient: issuer.HTTPClient(), ResourceMetadata: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { guard.Close() })
	want := grpcguard.Rules{unaryCall: countersign.Scope("orders.read"), emptyCall: countersign.Public("liveness probe")}
	g, err := grpcguard.New(guard, want)
	if err != nil {
		t.Fatal(err)
	}
	delete(want, emptyCall) // New has its own
	for _, route := range guard.Policy().Routes {
		if strings.HasPrefix(route.Path, "/grpc.") && !strings.HasPrefix(route.Source, "policy_test.go:") {
			t.Errorf("of the guard, %s: source %q", route.Pattern, route.Source)
		}
	}
	policy := g.Policy()
	var lines []string
	for _, route := range policy.Routes {
		if !strings.HasPrefix(route.Source, "policy_test.go:") {
			t.Errorf("%s: source %q", route.Pattern, route.Source)
		}
		lines = append(lines, route.Method+" "+route.Path+" "+route.Rule.String())
	}
	const table = `POST /grpc.testing.TestService/EmptyCall Public("liveness probe")
POST /grpc.testing.TestService/UnaryCall Scope("orders.read")`
	if got := strings.Join(lines, "\n"); got != table || policy.Resource != resource {
		t.Errorf("policy of %s:\n%s\nwant:\n%s", policy.Resource, got, table)
	}
}

func TestCallsInParallelKeepTheirCallers(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	s := &service{}
	client := start(t, newGuard(t, issuer, rules(nil)), s)
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		token := issuer.As(name, resource+"/orders.read", resource+"/orders."+name).Token()
		wg.Go(func() {
			for range 25 {
				for kind, call := range kinds {
					if _, err := call(with(t, "Bearer "+token), client); err != nil {
						t.Errorf("%s: %v", kind, err)
					}
				}
				if _, err := client.UnaryCall(with(t), &pb.SimpleRequest{}); err == nil {
					t.Error("a call without a token is admitted")
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]int{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, caller := range s.callers {
		seen[caller.Scopes[len(caller.Scopes)-1]]++
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		if seen["orders."+name] != 50 {
			t.Errorf("%d calls of %s, want 50", seen["orders."+name], name)
		}
	}
}
