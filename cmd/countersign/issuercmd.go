package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/serve"
)

func newIssuer() *cobra.Command {
	var config issuerConfig
	var ready string
	cmd := &cobra.Command{
		Use:   "issuer",
		Short: "Run the issuer in production",
		Long: `Runs the issuer that the configuration file describes: tokens, keys and the cognito-idp JSON API, over a SQLite
file or, for replicas, a PostgreSQL database. It logs to standard error and stays up until SIGTERM or Ctrl-C; then it
answers what is under way and ends. SIGHUP makes it look at once whether certificate and access keys have changed. The
page docs/issuer.md has a complete configuration file.

Exit codes: 0 it was told to end and did, 2 it could not run.`,
		Example: `  countersign issuer credentials add access-keys.yaml --name deployer
  countersign issuer check --config issuer.yaml
  countersign issuer --config issuer.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.load()
			if err != nil {
				return err
			}
			return runIssuer(cmd.Context(), c, ready, cmd.ErrOrStderr())
		},
	}
	config.add(cmd)
	cmd.Flags().StringVar(&ready, "ready-file", "", "file to write when requests are answered: a JSON object with issuer, address and admin")
	cmd.AddCommand(newIssuerCheck(), newIssuerCredentials(), newIssuerKeyFile(), newIssuerReseal(), newIssuerBackup(), newIssuerKeys())
	return cmd
}

// issuerConfig is --config, which every command about an issuer takes.
type issuerConfig struct{ path string }

func (c *issuerConfig) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.path, "config", "issuer.yaml", "the issuer's configuration file")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml", "json") // an error only for a flag that is not there
}

func (c *issuerConfig) load() (*serve.Config, error) { return serve.Load(c.path) }

func runIssuer(ctx context.Context, config *serve.Config, ready string, stderr io.Writer) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP) // before the start, which may wait for a database: by default SIGHUP ends the process
	defer signal.Stop(hangup)
	server, err := serve.Start(ctx, config, config.Logger(stderr))
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return errors.New("interrupted before the issuer was up")
	}
	if err != nil {
		return err
	}
	if ready != "" {
		if err := writeReady(ready, server); err != nil {
			return errors.Join(err, server.Close())
		}
		defer os.Remove(ready)
	}
	for {
		select {
		case <-ctx.Done():
			return server.Close()
		case err := <-server.Failed():
			return errors.Join(err, server.Close())
		case <-hangup:
			server.Reload()
		}
	}
}

// writeReady tells a script where the issuer is. The file has its name only when all of it is written.
func writeReady(path string, server *serve.Server) error {
	text, err := json.Marshal(map[string]string{"issuer": server.Issuer(), "address": server.Address(), "admin": server.AdminAddress()})
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	return os.Rename(path+".new", path)
}

func newIssuerCheck() *cobra.Command {
	var config issuerConfig
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check an issuer's configuration without running it",
		Long: `Reads the configuration file and all that it names - certificate, access keys, sealing key, store, audit trail, usage - and
says what is wrong, each with its line. What is not there yet is made, as a start would: type it as the user that the issuer
runs as. A certificate that callers refuse, and a database connection in clear, are warnings on standard error.

Exit codes: 0 an issuer would start, 2 it would not.`,
		Example: `  countersign issuer check --config issuer.yaml`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.load()
			if err != nil {
				return err
			}
			warnings := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
			if err := serve.Check(cmd.Context(), c, warnings); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: an issuer would start with it\n", c.Path)
			return err
		},
	}
	config.add(cmd)
	return cmd
}

func newIssuerCredentials() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "credentials",
		Short: "Make the access keys with which the JSON API is called",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var name, role string
	add := &cobra.Command{
		Use:   "add FILE",
		Short: "Add an access key to a file",
		Long: `Appends a new access key to the file, or makes the file with mode 0600, and prints the key's id. The secret is in the
file only. A running issuer reads the file again by itself.

Exit codes: 0 done, 2 it could not be done.`,
		Example: `  countersign issuer credentials add access-keys.yaml --name deployer
  countersign issuer credentials add access-keys.yaml --name dashboard --role read-only`,
		Args: one("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := serve.AddAccessKey(args[0], name, issuer.Role(role))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), id)
			return err
		},
	}
	add.Flags().StringVar(&name, "name", "", "who will use the key, for the audit trail: letters, digits and +=,.@_- (default: the key's id)")
	add.Flags().StringVar(&role, "role", string(issuer.Admin), "what the key may do: admin or read-only")
	_ = add.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]string{string(issuer.Admin), string(issuer.ReadOnly)}, cobra.ShellCompDirectiveNoFileComp))
	cmd.AddCommand(add)
	return cmd
}
