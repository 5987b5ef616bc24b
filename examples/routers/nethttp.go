package main

import (
	"io"
	"net/http"

	"github.com/countersign-dev/countersign"
)

// newServeMux is the API with net/http's own router. Who starts anew takes [countersign.Guard.Mux]: the same patterns, and no route
// without a rule.
func newServeMux(guard *countersign.Guard) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", guard.Require(readOrders)(http.HandlerFunc(getOrder)))
	mux.Handle("POST /orders", guard.Require(writeOrders)(http.HandlerFunc(createOrder)))
	mux.Handle("GET /healthz", guard.Require(probe)(http.HandlerFunc(healthz)))
	return mux
}

func getOrder(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, hello(countersign.CallerFrom(r.Context()), r.PathValue("id")))
}

func createOrder(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusCreated)
	io.WriteString(w, hello(countersign.CallerFrom(r.Context()), "new"))
}

func healthz(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") }
