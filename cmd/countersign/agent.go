package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/agent"
	"github.com/countersign-dev/countersign/cmd/countersign/tokenendpoint"
)

func newAgent() *cobra.Command {
	var o agentOptions
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Hold the tokens of a node's programs, on a Unix socket",
		Long: `Holds tokens for the programs of one machine. They ask on a Unix socket and show no secret: the kernel tells the agent
which user asks, and the configuration which users may have which client's tokens. Any number of programs costs the issuer one
token request. Tokens and secrets stay in memory. The page docs/agent.md has a complete configuration file.

It stays up until SIGTERM or Ctrl-C; then it answers what is under way and ends. Killed and started again, it asks for new tokens.

Exit codes: 0 it was told to end and did, 2 it could not run.`,
		Example: `  countersign agent --config agent.yaml
  curl --unix-socket /run/countersign/agent.sock -d grant_type=client_credentials -d client_id=reader http://localhost/oauth2/token`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.config, "config", "agent.yaml", "the agent's configuration file")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml", "json") // an error only for a flag that is not there
	flags.StringVar(&o.metricsAddr, "metrics-addr", "", "address of /metrics, such as localhost:9090 (default: no metrics)")
	return cmd
}

type agentOptions struct{ config, metricsAddr string }

func (o agentOptions) run(ctx context.Context, stdout, stderr io.Writer) error {
	cfg, err := agent.ReadFile(o.config)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewJSONHandler(stderr, nil))
	a, err := agent.New(cfg, logger)
	if err != nil {
		return err
	}
	defer a.Close()
	l, err := agent.Listen(cfg.Socket, cfg.Mode, logger)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "token socket  unix://%s\n", cfg.Socket)
	metrics, err := serveMetrics(ctx, o.metricsAddr, a.Metrics(), stdout, logger)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer metrics()
	server := &tokenendpoint.Server{Logger: logger, ConnContext: agent.ConnContext}
	mux := http.NewServeMux()
	mux.Handle("POST /oauth2/token", a)
	mux.HandleFunc("GET /readyz", server.Ready)
	server.Handler = mux
	return server.Serve(ctx, l)
}
