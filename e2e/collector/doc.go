// Package collector sends the traces of the built issuer to the OpenTelemetry Collector's own receiver for OTLP over HTTP, of the version
// that go.mod names.
//
// It is a module of its own, since the receiver brings all of gRPC. Nothing else of the Collector runs here: no processor, no exporter.
package collector
