package dev

import (
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cognito"
	"github.com/countersign-dev/countersign/examples/demo"
)

// want is what the issuer is to have: the demo's, or what countersign.yaml says.
type want struct {
	region, pool, domain     string
	identifier, resourceName string
	scopes                   []cognito.ResourceServerScope
	clients                  []wantClient
	// declared says that a file names the scopes: those that are missing are added to what is there.
	declared bool
}

type wantClient struct {
	name     string
	scopes   []string // in full; a client without any asks for no token
	validity time.Duration
}

// prover is the client with which the demo is probed, and with which the routes of a user's service are proved: there it may have every
// scope, so that each is tried. Where they are more than one client may have, there is another with a + behind the name.
const prover = "countersign-prover"

// ProbeScope is the scope with which the demo's guard is asked for decisions instead of answers. The prover has it, and nobody else.
const ProbeScope = "prove.ask"

// demoWant is the pool of the walk.
func demoWant() want {
	return want{
		region: region, pool: poolName, domain: poolDomain, identifier: demo.Resource, resourceName: "Gateway",
		scopes: []cognito.ResourceServerScope{
			{ScopeName: "demo.read", ScopeDescription: "Demo Read role"},
			{ScopeName: "demo.write", ScopeDescription: "Demo Write role"},
			{ScopeName: ProbeScope, ScopeDescription: "Ask for decisions"},
		},
		clients: []wantClient{
			{name: ReadClient, scopes: []string{demo.Resource + "/demo.read"}},
			{name: WriteClient, scopes: []string{demo.Resource + "/demo.write"}},
			// The service's own has neither secret nor flow: Cognito refuses the client_credentials flow to a client without a secret.
			{name: microService},
			{name: prover, scopes: []string{demo.Resource + "/" + ProbeScope}},
		},
	}
}

func wantOf(c *config.Config) want {
	w := want{
		region: c.Pool.Region, pool: c.Pool.Name, domain: c.Pool.Domain,
		identifier: c.Resource.Identifier, resourceName: c.Resource.Name, declared: true,
	}
	full := func(scope string) string { return c.Resource.Identifier + "/" + scope }
	var all []string
	for _, scope := range c.Resource.Scopes {
		w.scopes = append(w.scopes, cognito.ResourceServerScope{ScopeName: scope.Name, ScopeDescription: scope.Description})
		all = append(all, full(scope.Name))
	}
	for _, client := range c.Clients {
		one := wantClient{name: client.Name, validity: client.AccessTokenValidity}
		for _, scope := range client.Scopes {
			one.scopes = append(one.scopes, full(scope))
		}
		w.clients = append(w.clients, one)
	}
	name := prover
	for scopes := range slices.Chunk(all, maxClientScopes) {
		w.clients = append(w.clients, wantClient{name: name, scopes: scopes})
		name += "+"
	}
	return w
}

func isProver(name string) bool { return strings.TrimRight(name, "+") == prover }

// maxClientScopes: Cognito: a client has 50 scopes at most.
const maxClientScopes = 50

// names are those of the clients that people know.
func (w want) names() []string {
	var all []string
	for _, client := range w.clients {
		if !isProver(client.name) {
			all = append(all, client.name)
		}
	}
	return all
}
