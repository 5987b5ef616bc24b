package grpcguard_test

import (
	"fmt"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/grpcguard"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

func ExampleRenew() {
	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer:      "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
		Credentials: clientcredentials.File("/var/run/secrets/reader"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	conn, err := grpc.NewClient("api.example.com:443",
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(nil, "")),
		grpc.WithPerRPCCredentials(grpcguard.Credentials(source)),
		grpc.WithUnaryInterceptor(grpcguard.Renew(source)))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Println(conn.Target())
	// Output: api.example.com:443
}
