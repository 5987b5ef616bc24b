package grpcguard_test

import (
	"fmt"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/grpcguard"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

func Example() {
	guard, err := countersign.New(countersign.Config{
		Issuer:   "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
		Resource: "https://api.example.com",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer guard.Close()
	g, err := grpcguard.New(guard, grpcguard.Rules{
		"/grpc.health.v1.Health/Check": countersign.Public("readiness probe"),
		"/grpc.health.v1.Health/List":  countersign.Scope("health.read"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := grpc.NewServer(g.ServerOptions()...)
	healthpb.RegisterHealthServer(server, health.NewServer())
	fmt.Println(g.Check(server))
	// Output:
	// grpcguard: /grpc.health.v1.Health/Watch is registered without a rule (New at example_test.go:25); say who may call it, with countersign.Public("why nobody needs a token") for health and reflection
}

func ExampleGuard_Policy() {
	guard, err := countersign.New(countersign.Config{
		Issuer:   "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
		Resource: "https://api.example.com",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer guard.Close()
	g, err := grpcguard.New(guard, grpcguard.Rules{
		"/grpc.health.v1.Health/Check": countersign.Public("readiness probe"),
		"/orders.v1.Orders/Watch":      countersign.UntilExpiry(countersign.Scope("orders.read")),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, route := range g.Policy().Routes {
		fmt.Println(route.Path, route.Rule)
	}
	// Output:
	// /grpc.health.v1.Health/Check Public("readiness probe")
	// /orders.v1.Orders/Watch UntilExpiry(Scope("orders.read"))
}

func ExampleCredentials() {
	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer:      "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
		Credentials: clientcredentials.File("/var/run/secrets/reader"),
		Scopes:      []string{"https://api.example.com/orders.read"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	conn, err := grpc.NewClient("api.example.com:443",
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(nil, "")),
		grpc.WithPerRPCCredentials(grpcguard.Credentials(source)))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Println(conn.Target())
	// Output: api.example.com:443
}
