package otelguard_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/otelguard"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func Example() {
	reader := metric.NewManualReader() // in a service: an exporter's
	observer, err := otelguard.New(otelguard.Config{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(reader)),
		Clients:       map[string]string{"5ta1iem1062c8kbhvl8e249qc0": "reader"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer observer.Close()
	guard, err := countersign.New(countersign.Config{
		Issuer:   "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
		Resource: "https://api.example.com",
		Observer: observer,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer guard.Close()
	api := guard.Mux()
	api.HandleFunc("GET /orders/{id}", func(http.ResponseWriter, *http.Request) {}, countersign.Scope("orders.read"))

	api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/orders/1", nil))

	var measured metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &measured); err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range measured.ScopeMetrics[0].Metrics {
		if m.Name == "authz.decisions" {
			point := m.Data.(metricdata.Sum[int64]).DataPoints[0]
			fmt.Println(m.Name, point.Value)
			for _, a := range point.Attributes.ToSlice() {
				fmt.Println(a.Key, a.Value.String())
			}
		}
	}
	// Output:
	// authz.decisions 1
	// authz.decision deny
	// error.type missing_token
	// http.request.method GET
	// http.route /orders/{id}
}
