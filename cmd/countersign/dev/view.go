package dev

import (
	"context"
	"slices"

	"github.com/countersign-dev/countersign/cmd/countersign/console"
	"github.com/countersign-dev/countersign/cognito"
)

// view reads what the page shows, as it is now.
func (s *System) view(ctx context.Context) (console.View, error) {
	source, err := console.ReadPool(ctx, s.service, s.Running.UserPoolID)
	if err != nil {
		return console.View{}, err
	}
	source.Policy = s.Policy()
	// What proves the routes is no caller of them.
	source.Clients = slices.DeleteFunc(source.Clients, func(c cognito.UserPoolClient) bool { return isProver(c.ClientName) })
	source.StateFlag = s.stateFlag
	source.Variable = func(client string) string {
		if !slices.Contains(s.Running.Clients, client) {
			return "" // it was made since
		}
		return ClientVariable(client)
	}
	source.Proof = s.proof.Load()
	source.Addresses = []console.Address{
		{Name: "API", URL: s.Running.APIURL},
		{Name: "edge", URL: s.Running.EdgeURL},
		{Name: "cognito-idp API", URL: s.Running.AWSURL},
	}
	return console.Describe(source), nil
}
