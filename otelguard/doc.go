// Package otelguard tells OpenTelemetry what a [countersign.Guard] does: how many requests it lets in and refuses, for which
// reasons and on which routes, and how its issuer's keys are. It is a [countersign.Observer]:
//
//	observer, err := otelguard.New(otelguard.Config{Clients: map[string]string{"5ta1iem1062c8kbhvl8e249qc0": "reader"}})
//	guard, err := countersign.New(countersign.Config{Issuer: …, Resource: …, Observer: observer})
//
// No sender can make series of a metric: every attribute's value comes from the configuration or from the code. What a token says of its
// issuer, its key and its client is never one; clients are those that Config names, and "other". No metric and no span has a token, a jti or
// any part of one.
//
// It is no instrumentation of HTTP or gRPC, and starts no spans: it adds to the span that is there.
//
// Start with [New]. The instruments are listed at [Observer].
package otelguard
