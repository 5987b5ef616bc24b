package main

import (
	"github.com/countersign-dev/countersign"
	"github.com/go-chi/chi/v5"
)

// newChi is the API with chi, whose middleware is net/http's. The handlers are those of the ServeMux: chi sets PathValue too.
func newChi(guard *countersign.Guard) *chi.Mux {
	r := chi.NewRouter()
	r.With(guard.Require(readOrders)).Get("/orders/{id}", getOrder)
	r.With(guard.Require(writeOrders)).Post("/orders", createOrder)
	r.With(guard.Require(probe)).Get("/healthz", healthz)
	return r
}
