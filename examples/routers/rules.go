package main

import (
	"github.com/countersign-dev/countersign"
)

// The rules of the API. Every router has the same three routes.
var (
	readOrders  = countersign.Scope("orders.read")
	writeOrders = countersign.Scope("orders.write")
	probe       = countersign.Public("liveness probe")
)

// hello is the answer of a route: who called, and about which order.
func hello(caller countersign.Caller, order string) string {
	return caller.ClientID + " asks about order " + order + "\n"
}
