package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

func newToken() *cobra.Command {
	var state stateFlag
	var client, output string
	var scopes []string
	cmd := &cobra.Command{
		Use:   "token NAME",
		Short: "Print an access token of a client of the running dev",
		Long: `Asks the running dev's issuer for an access token and prints it, and nothing else. With --output json it prints what a token
endpoint answers: access_token, token_type and expires_in.

Exit codes: 0 printed, 2 there is no token: no dev runs on this state, or it refused the client or a scope.`,
		Example: `  countersign token reader
  countersign token reader --scope orders.read
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
			if err := checkOutput(output, textOrJSON...); err != nil {
				return err
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
			return printToken(cmd.OutOrStdout(), token, output)
		},
	}
	offerNames := completeRunning(&state, func(_ context.Context, _ dev.State, r dev.Running) []string { return r.Clients })
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offerNames(cmd, args, typed)
	}
	state.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&client, "client", "", "name of the app client, where it is no argument")
	flags.StringSliceVar(&scopes, "scope", nil, "scopes, as demo.read or in full (default: all that the client may have)")
	addOutput(cmd, &output, textOrJSON...)
	cmd.RegisterFlagCompletionFunc("client", offerNames)
	cmd.RegisterFlagCompletionFunc("scope", completeRunning(&state, func(_ context.Context, _ dev.State, r dev.Running) []string { return scopesOf(r) }))
	return cmd
}

func mint(ctx context.Context, state dev.State, running dev.Running, name string, scopes []string) (*clientcredentials.Token, error) {
	admin, err := dev.OpenAdmin(state, running)
	if err != nil {
		return nil, err
	}
	client, err := admin.Client(ctx, name)
	if err != nil {
		return nil, err
	}
	if client.Secret == "" {
		return nil, fmt.Errorf("client %s has no secret, so it cannot ask for a token of its own", name)
	}
	full := make([]string, len(scopes))
	for i, scope := range scopes {
		full[i] = fullScope(running.Resource, scope)
	}
	token, err := client.AskToken(ctx, running.Issuer, full)
	var refused *clientcredentials.Error
	if errors.As(err, &refused) && refused.Code == clientcredentials.InvalidScope {
		return nil, fmt.Errorf("%w; %s may have %s", err, name, strings.Join(client.Scopes, ", "))
	}
	return token, err
}

// fullScope is a scope as the issuer knows it. Rules name it without the resource; Cognito's full names all have a slash.
func fullScope(resource, scope string) string {
	if strings.Contains(scope, "/") {
		return scope
	}
	return resource + "/" + scope
}

func printToken(w io.Writer, token *clientcredentials.Token, form string) error {
	if form == "text" {
		_, err := fmt.Fprintln(w, token.AccessToken)
		return err
	}
	// RFC 6749, Section 5.1.
	answer, err := json.Marshal(struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int64  `json:"expires_in"`
	}{token.AccessToken, token.Type, int64(time.Until(token.Expiry).Seconds())})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", answer)
	return err
}

// scopesOf are the scopes that the running service's rules name.
func scopesOf(running dev.Running) []string {
	var all []string
	for _, route := range routesOf(running) {
		for _, need := range route.Rule.Needs() {
			all = append(all, need.Scopes...)
		}
	}
	return distinct(all)
}
