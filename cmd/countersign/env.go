package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

func newEnv() *cobra.Command {
	var state stateFlag
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Print shell exports of the running dev",
		Long: `Prints the variables of the running dev as shell exports. They hold the clients' secrets, as CLIENT_CREDENTIALS_READ
for readClient: evaluate them, do not log them.

Exit codes: 0 printed, 2 no dev runs on this state.`,
		Example: `  eval "$(countersign env)"
  curl -s -H "Authorization: Basic $CLIENT_CREDENTIALS_READ" -d grant_type=client_credentials "$TOKEN_ENDPOINT"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
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
			return printEnv(ctx, cmd.OutOrStdout(), running, dir)
		},
	}
	state.add(cmd)
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait so long for the dev to come up, as in 30s")
	return cmd
}

// printEnv asks for everything before it prints anything: an eval sees all of the variables or none.
func printEnv(ctx context.Context, w io.Writer, running dev.Running, state dev.State) error {
	admin, err := dev.OpenAdmin(state, running)
	if err != nil {
		return err
	}
	secrets, err := clientVariables(ctx, admin, running.Clients)
	if err != nil {
		return err
	}
	access := admin.Credentials()
	var out strings.Builder
	variables := append([][2]string{{"TOKEN_ENDPOINT", cmp.Or(running.TokenURL, running.Issuer+"/oauth2/token")}}, secrets...)
	if running.CredentialsDir != "" {
		variables = append(variables, [2]string{dev.CredentialsVariable, running.CredentialsDir})
	}
	variables = append(variables, [][2]string{
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
		variables = append(variables, [2]string{"CONTROL_URL", running.ControlURL})
	}
	for _, variable := range append(variables, running.ProxyVariables()...) {
		fmt.Fprintf(&out, "export %s=%s\n", variable[0], shellQuote(variable[1]))
	}
	// A session token that the shell has of a real account would go out with these keys and spoil them.
	out.WriteString("unset AWS_SESSION_TOKEN\n")
	_, err = io.WriteString(w, out.String())
	return err
}

// clientVariables are CLIENT_CREDENTIALS_… of the clients that have a secret.
func clientVariables(ctx context.Context, admin *dev.Admin, names []string) ([][2]string, error) {
	clients, err := admin.Clients(ctx)
	if err != nil {
		return nil, err
	}
	var all [][2]string
	seen := map[string]int{}
	for _, name := range names {
		client, err := admin.Named(clients, name)
		if err != nil {
			return nil, err
		}
		if client.Secret == "" {
			continue
		}
		variable := "CLIENT_CREDENTIALS_" + variableName(name)
		if seen[variable]++; seen[variable] > 1 { // another client's name has the same letters
			variable += "_" + strconv.Itoa(seen[variable])
		}
		all = append(all, [2]string{variable, basic(client)})
	}
	return all, nil
}

// variableName is READ for readClient and ORDER_READER for order-reader.
func variableName(client string) string {
	var out strings.Builder
	before := ' '
	for _, r := range client {
		switch {
		case 'A' <= r && r <= 'Z' && 'a' <= before && before <= 'z':
			out.WriteByte('_')
			out.WriteRune(r)
		case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9':
			out.WriteRune(unicode.ToUpper(r))
		default:
			out.WriteByte('_')
		}
		before = r
	}
	name := out.String()
	if short := strings.TrimSuffix(name, "_CLIENT"); short != "" {
		return short
	}
	return name
}

// basic is what follows "Authorization: Basic ": the seed of every curl command that asks for a token.
func basic(client dev.Client) string {
	return base64.StdEncoding.EncodeToString([]byte(client.ID + ":" + client.Secret.Reveal()))
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
