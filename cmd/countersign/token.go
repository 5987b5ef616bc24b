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
	var file configFlags
	var client, output string
	var scopes []string
	cmd := &cobra.Command{
		Use:   "token NAME",
		Short: "Print an access token of a client",
		Long: `Asks the running dev's issuer for an access token and prints it, and nothing else. With --env or --file it is the pool of
countersign.yaml that is asked, with the credentials that countersign provision stored for the client. With --output json it prints what
a token endpoint answers: access_token, token_type and expires_in.

Exit codes: 0 printed, 2 there is no token: no dev runs on this state, nothing is stored for the client, or it or a scope was refused.`,
		Example: `  countersign token reader
  countersign token reader --scope orders.read
  countersign token reader --env staging
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
				return errors.New("whose token? name an app client, as in: countersign token readClient")
			}
			if err := checkOutput(output, textOrJSON...); err != nil {
				return err
			}
			if file.named() && cmd.Flags().Changed("state") {
				return errStateOrFile
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), 15*time.Second)
			defer cancel()
			ask := func() (*clientcredentials.Token, error) { return devToken(ctx, state, client, scopes) }
			if file.named() {
				ask = func() (*clientcredentials.Token, error) { return storedToken(ctx, file, client, scopes) }
			}
			token, err := ask()
			if err != nil {
				return err
			}
			return printToken(cmd.OutOrStdout(), token, output)
		},
	}
	offerRunning := completeRunning(&state, func(_ context.Context, _ dev.State, r dev.Running) []string { return r.Clients })
	offerNames := func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if !file.named() {
			return offerRunning(cmd, args, typed)
		}
		cfg, err := file.load()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return clientNames(cfg), cobra.ShellCompDirectiveNoFileComp
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offerNames(cmd, args, typed)
	}
	state.add(cmd)
	file.addAs(cmd, "configuration file: with this flag or --env, the client is one of the file, and its issuer the pool that the file describes")
	flags := cmd.Flags()
	flags.StringVar(&client, "client", "", "name of the app client, where it is no argument")
	flags.StringSliceVar(&scopes, "scope", nil, "scopes, such as demo.read or in full (default: all that the client may have)")
	addOutput(cmd, &output, textOrJSON...)
	cmd.RegisterFlagCompletionFunc("client", offerNames)
	cmd.RegisterFlagCompletionFunc("scope", completeRunning(&state, func(_ context.Context, _ dev.State, r dev.Running) []string { return scopesOf(r) }))
	return cmd
}

// errStateOrFile is that two sources of tokens are named.
var errStateOrFile = errors.New("--state is of a running dev, and --env and --file are of what provision stored; choose one")

func devToken(ctx context.Context, state stateFlag, name string, scopes []string) (*clientcredentials.Token, error) {
	dir, err := state.state()
	if err != nil {
		return nil, err
	}
	running, err := dev.Find(ctx, dir)
	if err != nil {
		return nil, err
	}
	return mint(ctx, dir, running, name, scopes)
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
	token, err := client.AskToken(ctx, running.Issuer, fullScopes(running.Resource, scopes))
	return token, sayScopes(err, name, client.Scopes)
}

// sayScopes adds to the refusal of a scope which ones the client may have.
func sayScopes(err error, name string, scopes []string) error {
	var refused *clientcredentials.Error
	if errors.As(err, &refused) && refused.Code == clientcredentials.InvalidScope {
		return fmt.Errorf("the issuer refuses the scope (invalid_scope): there is none of that name, or %s may not have it; %s may have %s", name, name, strings.Join(scopes, ", "))
	}
	return err
}

func fullScopes(resource string, scopes []string) []string {
	full := make([]string, len(scopes))
	for i, scope := range scopes {
		full[i] = fullScope(resource, scope)
	}
	return full
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
