// Command demo serves package demo, configured from the environment as a container is:
//
//	eval "$(countersign env)" && go run ./examples/demo/cmd/demo
//
// COUNTERSIGN_ISSUER and COUNTERSIGN_RESOURCE say whose tokens it takes, ADDR where it listens (localhost:8090).
package main

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/examples/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("demo stopped", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	config, err := countersign.ConfigFromEnv()
	if err != nil {
		return err
	}
	guard, err := countersign.New(config)
	if err != nil {
		return err
	}
	defer guard.Close()
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("ADDR"), "localhost:8090"))
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           demo.NewAPI(guard),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	slog.Info("demo serves", "addr", listener.Addr().String(), "issuer", config.Issuer)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return drain(server)
	}
}

// drain ends the server once the requests under way are answered.
func drain(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return server.Shutdown(ctx)
}
