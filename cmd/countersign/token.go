package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

func newToken() *cobra.Command {
	var state stateFlag
	var client string
	var scopes []string
	cmd := &cobra.Command{
		Use:   "token NAME",
		Short: "Print an access token of a client of the running dev",
		Long: `Asks the running dev's issuer for an access token and prints it, and nothing else.

Exit codes: 0 printed, 2 there is no token: no dev runs on this state, or it refused the client or a scope.`,
		Example: `  countersign token reader
  curl -H "Authorization: Bearer $(countersign token --client readClient)" "$API_URL/api/demo/protectedRole/me"`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && client != "" {
				return errors.New("token takes the name of one app client, as in: countersign token readClient")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				client = args[0]
			}
			if client == "" {
				return errors.New("--client is missing; name an app client, as in: countersign token --client readClient")
			}
			dir, err := state.state()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), 15*time.Second)
			defer cancel()
			running, err := dev.Find(ctx, dir)
			if err != nil {
				return err
			}
			token, err := mint(ctx, dir, running, client, scopes)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
			return err
		},
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return completeClients(cmd.Context(), &state), cobra.ShellCompDirectiveNoFileComp
	}
	state.add(cmd)
	cmd.Flags().StringVar(&client, "client", "", "name of the app client, where it is no argument")
	cmd.Flags().StringSliceVar(&scopes, "scope", nil, "scopes in full, as https://api.example.com/demo.read (default: all that the client may have)")
	return cmd
}

func mint(ctx context.Context, state dev.State, running dev.Running, name string, scopes []string) (string, error) {
	admin, err := dev.OpenAdmin(state, running)
	if err != nil {
		return "", err
	}
	client, err := admin.Client(ctx, name)
	if err != nil {
		return "", err
	}
	if client.Secret == "" {
		return "", fmt.Errorf("client %s has no secret, so it cannot ask for a token of its own", name)
	}
	return client.Token(ctx, running.Issuer, scopes)
}

// completeClients are the names of the running dev's clients, for the shell.
func completeClients(ctx context.Context, state *stateFlag) []string {
	dir, err := state.state()
	if err != nil {
		return nil
	}
	running, err := dev.Find(ctx, dir)
	if err != nil {
		return nil
	}
	return running.Clients
}
