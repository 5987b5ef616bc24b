package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

func newEnv() *cobra.Command {
	var state stateFlag
	var wait time.Duration
	var output string
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Print the running dev's variables for a shell",
		Long: `Prints the variables of the running dev, for a shell to evaluate: addresses, AWS's keys, and the clients' secrets, as
CLIENT_CREDENTIALS_READ for readClient. Evaluate them, do not log them.

--output names the form: sh for every POSIX shell, fish, powershell, dotenv for a .env file, json for programs. What is empty in a
.env file or in JSON is to be taken out of the environment.

Exit codes: 0 printed, 2 no dev runs on this state.`,
		Example: `  eval "$(countersign env)"
  countersign env --output fish | source
  countersign env --output dotenv > .env    # keep it out of git
  curl -s -H "Authorization: Basic $CLIENT_CREDENTIALS_READ" -d grant_type=client_credentials "$TOKEN_ENDPOINT"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output, envForms...); err != nil {
				return err
			}
			dir, err := state.state()
			if err != nil {
				return err
			}
			if wait < 0 {
				return fmt.Errorf("--wait %s: a wait is not negative", wait)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), max(wait, 5*time.Second))
			defer cancel()
			find := dev.Find
			if wait > 0 {
				find = dev.Wait
			}
			running, err := find(ctx, dir)
			if err != nil {
				return err
			}
			return printEnv(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr(), running, dir, output)
		},
	}
	state.add(cmd)
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait so long for the dev to come up, as in 30s")
	addOutput(cmd, &output, envForms...)
	return cmd
}

// printEnv asks for everything before it prints anything: an eval sees all of the variables or none.
func printEnv(ctx context.Context, stdout, stderr io.Writer, running dev.Running, state dev.State, form string) error {
	note := func(err error) { fmt.Fprintf(stderr, "note: left out: %v\n", err) }
	variables, err := variablesOf(ctx, running, state, note)
	if err != nil {
		return err
	}
	// In AWS's SDK for JavaScript a profile of the shell's wins over these keys. Set and empty, as a .env file has it, it is an error in the AWS CLI.
	if form != "dotenv" {
		variables = append(variables, variable{"AWS_PROFILE", ""})
	}
	text, err := writeVariables(form, variables)
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, text)
	return err
}

func variablesOf(ctx context.Context, running dev.Running, state dev.State, note func(error)) ([]variable, error) {
	admin, err := dev.OpenAdmin(state, running)
	if err != nil {
		return nil, err
	}
	secrets, err := clientVariables(ctx, admin, running.Clients, note)
	if err != nil {
		return nil, err
	}
	access := admin.Credentials()
	variables := append([]variable{{"TOKEN_ENDPOINT", cmp.Or(running.TokenURL, running.Issuer+"/oauth2/token")}}, secrets...)
	if running.CredentialsDir != "" {
		variables = append(variables, variable{dev.CredentialsVariable, running.CredentialsDir})
	}
	variables = append(variables, []variable{
		{"RESOURCE_SERVER", running.Resource},
		{"USER_POOL_ID", running.UserPoolID},
		{"API_URL", running.APIURL},
		{"EDGE_URL", running.EdgeURL},
		{"EDGE_CA", running.EdgeCA},
		{"COUNTERSIGN_ISSUER", running.Issuer},
		{"COUNTERSIGN_RESOURCE", running.Resource},
		{"AWS_ENDPOINT_URL", running.AWSURL},
		{"AWS_ACCESS_KEY_ID", access.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", access.SecretAccessKey.Reveal()},
		{"AWS_REGION", running.Region},
		{"AWS_DEFAULT_REGION", running.Region}, // version 1 of the AWS CLI knows only this one
	}...)
	if running.ControlURL != "" {
		variables = append(variables, variable{"CONTROL_URL", running.ControlURL})
	}
	proxies := running.ProxyVariables()
	if proxies == nil {
		proxies = dev.NoProxy(os.Getenv)
	}
	for _, pair := range proxies {
		variables = append(variables, variable{pair[0], pair[1]})
	}
	// A session token that the shell has of a real account would go out with these keys and spoil them.
	return append(variables, variable{"AWS_SESSION_TOKEN", ""}), nil
}

// clientVariables are CLIENT_CREDENTIALS_… of the clients that have a secret. A client that the user has taken away since, or given a
// namesake, is left out with a word about it: the other variables are as good as before.
func clientVariables(ctx context.Context, admin *dev.Admin, names []string, note func(error)) ([]variable, error) {
	clients, err := admin.Clients(ctx)
	if err != nil {
		return nil, err
	}
	var all []variable
	seen := map[string]int{}
	for _, client := range names {
		found, err := admin.Named(clients, client)
		if err != nil {
			note(err)
			continue
		}
		if found.Secret == "" {
			continue
		}
		name := dev.ClientVariable(client)
		if seen[name]++; seen[name] > 1 { // another client's name has the same letters
			name += "_" + strconv.Itoa(seen[name])
		}
		all = append(all, variable{name, basic(found)})
	}
	return all, nil
}

// basic is what follows "Authorization: Basic ": the seed of every curl command that asks for a token.
func basic(client dev.Client) string {
	return base64.StdEncoding.EncodeToString([]byte(client.ID + ":" + client.Secret.Reveal()))
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
