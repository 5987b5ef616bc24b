// Package countersign is the resource server's half of OAuth 2.0: it verifies access tokens and decides who may call which
// route. It is middleware for net/http with no dependency but the standard library.
//
// A service states for every route who may call it, or it does not start:
//
//	guard, err := countersign.New(countersign.Config{
//		Issuer:   "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
//		Resource: "https://api.example.com",
//	})
//	api := guard.Mux()
//	api.HandleFunc("GET /orders/{id}", order, countersign.Scope("orders.read"))
//	api.HandleFunc("GET /healthz", healthz, countersign.Public("liveness probe"))
//
// and inside a handler [CallerFrom] says who called. [Guard.Policy] is the table of routes and rules, for reviewers and for
// package prove.
//
// The package does not issue tokens, keeps no sessions and logs nobody in. There is no switch that turns it off: a test
// uses package countersigntest, which issues real tokens.
//
// Start with [New]. The verification itself is in countersign.go, from the bytes of a token to the decision.
package countersign
