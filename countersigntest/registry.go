package countersigntest

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign"
)

// issuers are those of the tests that are running. Matrix is given a handler and has to find whose tokens it takes.
var issuers struct {
	sync.Mutex
	live []*Issuer
}

func remember(i *Issuer) {
	issuers.Lock()
	defer issuers.Unlock()
	issuers.live = append(issuers.live, i)
	i.t.Cleanup(func() {
		issuers.Lock()
		defer issuers.Unlock()
		for n, other := range issuers.live {
			if other == i {
				issuers.live = append(issuers.live[:n:n], issuers.live[n+1:]...)
				return
			}
		}
	})
}

// guarded is a policy and the issuer whose tokens it is about.
type guarded struct {
	policy countersign.Policy
	issuer *Issuer
}

const howTo = "build it with issuer.Guard(resource), issuer being a countersigntest.NewIssuer(t) of this test"

// policiesOf finds the policies of a handler: its own, if it has the method Policy, as Mux has; or those of all guards that the
// issuers of this test have made, if the handler is wrapped in middleware.
func policiesOf(t testing.TB, api http.Handler) ([]guarded, string) {
	issuers.Lock()
	live := append([]*Issuer(nil), issuers.live...)
	issuers.Unlock()
	if own, ok := api.(interface{ Policy() countersign.Policy }); ok {
		p := own.Policy()
		if len(p.Routes) == 0 {
			return nil, "the API has no routes"
		}
		for _, i := range live {
			if i.url == p.Issuer {
				return []guarded{{p, i}}, ""
			}
		}
		return nil, "the API trusts " + p.Issuer + ", which is no issuer of this test; " + howTo
	}
	var all []guarded
	for _, i := range live {
		if i.t.Name() != t.Name() && !strings.HasPrefix(t.Name(), i.t.Name()+"/") {
			continue
		}
		for _, p := range i.policies() {
			all = append(all, guarded{p, i})
		}
	}
	if len(all) == 0 {
		return nil, "the API has no Policy method, and no guard of this test has a route; " + howTo
	}
	return all, ""
}
