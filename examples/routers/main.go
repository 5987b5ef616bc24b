// Command routers serves one small API four times, behind one guard: with net/http's ServeMux, chi, gin and echo. It shows how
// [countersign.Guard.Require] is put on a route of each.
//
//	cd examples/routers && GOWORK=off countersign dev -- go run . -router chi
//
// COUNTERSIGN_ISSUER and COUNTERSIGN_RESOURCE say whose tokens it takes, ADDR where it listens (localhost:8090).
//
// A router of one's own decides which paths exist, and whether every one of them has a rule is for its tests to see: those of this
// program ask each router for its routes. With [countersign.Guard.Mux] a route without a rule does not start.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/countersign-dev/countersign"
)

// routers are the four ways to serve the API.
var routers = map[string]func(*countersign.Guard) http.Handler{
	"nethttp": func(g *countersign.Guard) http.Handler { return newServeMux(g) },
	"chi":     func(g *countersign.Guard) http.Handler { return newChi(g) },
	"gin":     func(g *countersign.Guard) http.Handler { return newGin(g) },
	"echo":    func(g *countersign.Guard) http.Handler { return newEcho(g) },
}

func main() {
	names := strings.Join(slices.Sorted(maps.Keys(routers)), ", ")
	name := flag.String("router", "nethttp", "one of "+names)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	newRouter, found := routers[*name]
	if !found {
		fmt.Fprintf(os.Stderr, "routers: -router %q is none of %s\n", *name, names)
		os.Exit(2)
	}
	if err := run(ctx, newRouter); err != nil {
		slog.Error("routers stopped", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, newRouter func(*countersign.Guard) http.Handler) error {
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
		Handler:           newRouter(guard),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	slog.Info("routers serves", "addr", listener.Addr().String(), "issuer", config.Issuer)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return server.Shutdown(end)
	}
}
