// Package grpcguard puts a [countersign.Guard] in front of a gRPC server: unary and streaming methods, each with the rule that says
// who may call it, by its full name.
//
//	g, err := grpcguard.New(guard, grpcguard.Rules{
//		"/orders.v1.Orders/Get":        countersign.Scope("orders.read"),
//		"/orders.v1.Orders/Watch":      countersign.UntilExpiry(countersign.Scope("orders.read")),
//		"/grpc.health.v1.Health/Check": countersign.Public("readiness probe"),
//	})
//	server := grpc.NewServer(g.ServerOptions()...)
//	orders.RegisterOrdersServer(server, service)
//	err = g.Check(server)
//
// A call is decided as the HTTP/2 request that it is on the wire, by the same code, with the same log and the same [countersign.Observer]:
// there is no second reading of tokens and rules. What is gRPC's own is the answer, a status with the challenge in its trailer. Inside a method
// [countersign.CallerFrom] says who called.
//
// For the other side [Credentials] puts the token of a [clientcredentials.Source] on calls.
//
// Start with [New].
package grpcguard
