// Command countersign runs and proves service-to-service authorization with OAuth 2.0 access tokens.
//
// `countersign dev` is the whole system on one machine: an issuer that behaves as Amazon Cognito, a guarded demo
// service, an HTTPS edge and a page that shows who may call what.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes of every command beside 0. Each command's help says what they mean there.
const (
	exitDifference = 1 // what was asked about is not so: a proof found a difference, a token is refused, a person said no
	exitCannotRun  = 2 // bad usage, or what the command needs is not there
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the process at once: the first one restores the default.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process around it: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var exit exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	default:
		fmt.Fprintf(stderr, "countersign: %v\n", err)
		return exitCannotRun
	}
}

// exitError ends the program with its code; what there was to say has been said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }
