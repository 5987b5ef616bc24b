package grpcguard

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/countersign-dev/countersign"
	"google.golang.org/grpc"
)

// Rules says who may call which method, by its full name, "/package.Service/Method". A method that is not in it is not served.
type Rules map[string]countersign.Rule

// Guard decides about the calls of a gRPC server. It is made by [New] and safe for use by many goroutines.
type Guard struct {
	mux     *countersign.Mux
	rules   Rules
	source  string
	checked atomic.Bool
}

// fullMethod is a full method name: of the identifiers of protobuf, without anything that a pattern of net/http would read.
var fullMethod = regexp.MustCompile(`^/[A-Za-z_]\w*(\.[A-Za-z_]\w*)*/[A-Za-z_]\w*$`)

// New returns the gRPC side of guard, with a rule for each method. The methods are part of guard's policy from then on. The error
// names every entry of rules that cannot be.
func New(guard *countersign.Guard, rules Rules) (*Guard, error) {
	if guard == nil {
		return nil, errors.New("grpcguard: New is given no guard; make one with countersign.New")
	}
	g := &Guard{mux: guard.Mux(), rules: maps.Clone(rules), source: callerSource()}
	var problems []error
	for _, method := range slices.Sorted(maps.Keys(rules)) {
		if err := g.register(method, rules[method]); err != nil {
			problems = append(problems, fmt.Errorf("grpcguard: %s (New at %s): %w", method, g.source, err))
		}
	}
	if len(rules) == 0 {
		problems = append(problems, errors.New(`grpcguard: there are no rules; write one for each method, as in Rules{"/orders.v1.Orders/Get": countersign.Scope("orders.read")}`))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return g, nil
}

// register hands the method to the guard as the request that it is on the wire.
//
// gRPC over HTTP/2: Request-Headers have :method POST and :path "/" Service-Name "/" {method name}.
func (g *Guard) register(method string, rule countersign.Rule) (err error) {
	switch {
	case !fullMethod.MatchString(method):
		return errors.New(`not the full name of a method; write "/package.Service/Method"`)
	case !rule.IsPublic() && len(rule.Needs()) == 0:
		return errors.New(`there is no rule; say who may call it: countersign.Scope("name"), countersign.Authenticated() or countersign.Public("why nobody needs a token")`)
	}
	pattern := http.MethodPost + " " + method
	// A Mux panics about a rule that no token could satisfy. Here one error can name all of them.
	defer func() {
		if problem := recover(); problem != nil {
			// What stands before the pattern is the line of the panic, which is the one below.
			text := fmt.Sprint(problem)
			_, what, found := strings.Cut(text, pattern+": ")
			if !found {
				what = text
			}
			err = errors.New(what)
		}
	}()
	g.mux.HandleFunc(pattern, enter, rule)
	return nil
}

// ServerOptions are the interceptors, for [grpc.NewServer]. Other interceptors of the server run before them when their options stand
// before these, and then see calls that nobody has decided about yet.
func (g *Guard) ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(g.unary), grpc.ChainStreamInterceptor(g.stream)}
}

// Policy returns who may call what: a route for each method, whose path is the method's full name.
func (g *Guard) Policy() countersign.Policy {
	policy := g.mux.Policy()
	// The document about the resource (RFC 9728) is HTTP's; the HTTP side of the service has it.
	policy.Routes = slices.DeleteFunc(policy.Routes, func(r countersign.Route) bool {
		_, ours := g.rules[r.Path]
		return !ours
	})
	return policy
}

// ServeHTTP decides about an HTTP request as about the call that it would be, and has no method behind it: what is admitted gets
// an empty 200. It is there so that every method can be proved with every bad token, by countersigntest.Matrix(t, g).
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }
