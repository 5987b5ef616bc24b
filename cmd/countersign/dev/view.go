package dev

import (
	"context"

	"github.com/countersign-dev/countersign/cmd/countersign/console"
	"github.com/countersign-dev/countersign/cognito"
)

// view reads what the page shows, as it is now.
func (s *System) view(ctx context.Context) (console.View, error) {
	pool, err := s.service.DescribeUserPool(ctx, cognito.DescribeUserPoolInput{UserPoolID: s.Running.UserPoolID})
	if err != nil {
		return console.View{}, err
	}
	servers, err := s.resourceServers(ctx)
	if err != nil {
		return console.View{}, err
	}
	clients, err := s.clients(ctx)
	if err != nil {
		return console.View{}, err
	}
	return console.Describe(console.Source{
		Policy:          s.Policy,
		Pool:            pool.UserPool,
		TokenEndpoint:   s.Running.Issuer + "/oauth2/token",
		ResourceServers: servers,
		Clients:         clients,
		Addresses: []console.Address{
			{Name: "API", URL: s.Running.APIURL},
			{Name: "edge", URL: s.Running.EdgeURL},
			{Name: "cognito-idp API", URL: s.Running.AWSURL},
		},
		Proof: s.proof.Load(),
	}), nil
}

func (s *System) resourceServers(ctx context.Context) ([]cognito.ResourceServer, error) {
	in := cognito.ListResourceServersInput{UserPoolID: s.Running.UserPoolID, MaxResults: 50}
	var all []cognito.ResourceServer
	for {
		page, err := s.service.ListResourceServers(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, page.ResourceServers...)
		if in.NextToken = page.NextToken; in.NextToken == "" {
			return all, nil
		}
	}
}

// clients returns the pool's app clients whole: a list has their names only.
func (s *System) clients(ctx context.Context) ([]cognito.UserPoolClient, error) {
	listed, err := listClients(ctx, s.service, s.Running.UserPoolID)
	if err != nil {
		return nil, err
	}
	var all []cognito.UserPoolClient
	for _, c := range listed {
		out, err := s.service.DescribeUserPoolClient(ctx, cognito.DescribeUserPoolClientInput{UserPoolID: c.UserPoolID, ClientID: c.ClientID})
		if err != nil {
			return nil, err
		}
		all = append(all, out.UserPoolClient)
	}
	return all, nil
}

func listClients(ctx context.Context, svc *cognito.Service, pool string) ([]cognito.UserPoolClientDescription, error) {
	in := cognito.ListUserPoolClientsInput{UserPoolID: pool, MaxResults: 60}
	var all []cognito.UserPoolClientDescription
	for {
		page, err := svc.ListUserPoolClients(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, page.UserPoolClients...)
		if in.NextToken = page.NextToken; in.NextToken == "" {
			return all, nil
		}
	}
}
