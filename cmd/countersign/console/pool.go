package console

import (
	"context"
	"errors"
	"fmt"

	"github.com/countersign-dev/countersign/cognito"
)

// maxClients bounds the columns of the matrix. A pool may have a thousand clients; a table of a thousand columns is not read.
const maxClients = 60

// ReadPool returns a [Source] with all that the issuer says about one pool. The caller adds the policy, the addresses and the proof.
func ReadPool(ctx context.Context, service *cognito.Service, poolID string) (Source, error) {
	pool, err := service.DescribeUserPool(ctx, cognito.DescribeUserPoolInput{UserPoolID: poolID})
	if err != nil {
		return Source{}, fmt.Errorf("console: read pool: %w", err)
	}
	s := Source{Pool: pool.UserPool, TokenEndpoint: service.Issuer(poolID) + "/oauth2/token"}
	if err := s.readResourceServers(ctx, service); err != nil {
		return Source{}, fmt.Errorf("console: read resource servers: %w", err)
	}
	if err := s.readClients(ctx, service); err != nil {
		return Source{}, fmt.Errorf("console: read app clients: %w", err)
	}
	return s, nil
}

func (s *Source) readResourceServers(ctx context.Context, service *cognito.Service) error {
	in := cognito.ListResourceServersInput{UserPoolID: s.Pool.ID}
	for {
		out, err := service.ListResourceServers(ctx, in)
		if err != nil {
			return err
		}
		s.ResourceServers = append(s.ResourceServers, out.ResourceServers...)
		if in.NextToken = out.NextToken; in.NextToken == "" {
			return nil
		}
	}
}

func (s *Source) readClients(ctx context.Context, service *cognito.Service) error {
	in := cognito.ListUserPoolClientsInput{UserPoolID: s.Pool.ID}
	for {
		page, err := service.ListUserPoolClients(ctx, in)
		if err != nil {
			return err
		}
		for _, c := range page.UserPoolClients {
			if len(s.Clients) == maxClients {
				s.MoreClients++
				continue
			}
			out, err := service.DescribeUserPoolClient(ctx, cognito.DescribeUserPoolClientInput{UserPoolID: s.Pool.ID, ClientID: c.ClientID})
			var api *cognito.APIError
			if errors.As(err, &api) && api.Code == cognito.CodeResourceNotFound {
				continue // Deleted since it was listed.
			}
			if err != nil {
				return err
			}
			s.Clients = append(s.Clients, out.UserPoolClient)
		}
		if in.NextToken = page.NextToken; in.NextToken == "" {
			return nil
		}
	}
}
