package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/prove"
)

func runDev(ctx context.Context, options devOptions, stdout, stderr io.Writer) (err error) {
	ctx, stop := untilHangup(ctx)
	defer stop()
	if options.Allow, err = parseNetworks(options.allow); err != nil {
		return err
	}
	stderr = &syncWriter{to: stderr} // the service, its builder and the log write at once
	if options.App, err = options.app(stderr); err != nil {
		return err
	}
	for {
		err := runSession(ctx, options, stdout, stderr)
		var next *anew
		if !errors.As(err, &next) {
			return err
		}
		if ctx.Err() != nil {
			return sayStopping(stdout)
		}
		options.App, err = options.app(stderr)
		if err != nil || options.App == nil { // it was right a moment ago, and has changed since
			fmt.Fprintf(stderr, "countersign: what was read before stays in force: %v\n", err)
			options.App = next.app
		}
	}
}

// untilHangup ends with the terminal too, whose closing would otherwise kill the program where it stands. More than one signal comes
// then, the shell's beside the kernel's, and the later ones are of no account. Under nohup none counts.
func untilHangup(ctx context.Context) (context.Context, context.CancelFunc) {
	if signal.Ignored(syscall.SIGHUP) {
		return ctx, func() {}
	}
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}

// runSession runs one system, from its start to its end.
func runSession(ctx context.Context, options devOptions, stdout, stderr io.Writer) (err error) {
	// What happens before the system is up and proved is told by the table; the log begins after it.
	gate := newLogGate(slog.NewTextHandler(stderr, nil))
	options.Logger, options.gate = slog.New(gate), gate
	options.address()
	follow := options.watch()
	defer follow.close()
	system, err := dev.Start(ctx, options.Config)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return errors.New("interrupted before the system was up")
	}
	if err != nil {
		return err
	}
	defer func() {
		if closed := system.Close(); closed != nil {
			err = errors.Join(err, closed)
		}
	}()
	printSystem(stdout, system.Running, options.App)
	options.steering.warn(stderr, system)
	code, err := options.prove(ctx, system, stdout, stderr)
	switch {
	case ctx.Err() != nil && !options.once:
		return sayStopping(stdout)
	case ctx.Err() != nil && err != nil:
		return errors.New("interrupted before the service was proved")
	case err != nil:
		return err
	case options.once && code != 0:
		return exitError(code)
	case options.once:
		return nil
	}
	printNext(stdout, system.Running, options.App, system.Policy(), options.StateFlag)
	system.Begin()
	options.steering.print(stdout, system.Running)
	if !options.quiet {
		gate.open()
	}
	follow.follow(system.Child())
	return options.stay(ctx, system, follow, stdout, stderr)
}

// prove waits for the service and proves it. That a user's service is not up or has no policy ends only what is to end anyhow.
func (o *devOptions) prove(ctx context.Context, system *dev.System, stdout, stderr io.Writer) (code int, err error) {
	if o.noRun {
		o.showPolicy(ctx, system, stderr)
		return 0, nil
	}
	if err = awaitService(ctx, system); err == nil {
		code, err = proveSystem(ctx, system, stdout, o.reporter(time.Now()))
	}
	if err == nil {
		return code, nil
	}
	if o.once || system.Child() == nil || ctx.Err() != nil {
		return 0, err
	}
	// What is wrong with the service itself was said when it happened.
	if system.Child().State().Up {
		fmt.Fprintf(stderr, "countersign: not proved: %v\n", err)
	}
	return 0, nil
}

// showPolicy reads the policy of a service that its user starts, for the page and for `countersign prove`.
func (o *devOptions) showPolicy(ctx context.Context, system *dev.System, stderr io.Writer) {
	if err := system.LoadPolicy(ctx); err != nil && ctx.Err() == nil {
		fmt.Fprintf(stderr, "countersign: it is not known who may call what: %v\n", err)
	}
}

func awaitService(ctx context.Context, system *dev.System) error {
	if service := system.Child(); service != nil {
		if err := service.Await(ctx); err != nil {
			return err
		}
	}
	return system.LoadPolicy(ctx)
}

// hold keeps back what a user's service prints about the hundreds of requests of a proof.
func hold(system *dev.System) (release func(show bool)) {
	if service := system.Child(); service != nil {
		return service.Hold()
	}
	return func(bool) {}
}

// stay lets the system run, and follows the user's service, until something ends it.
func (o *devOptions) stay(ctx context.Context, system *dev.System, follow *follower, stdout, stderr io.Writer) error {
	for {
		select {
		case <-ctx.Done():
			return sayStopping(stdout)
		case err := <-system.Failed():
			return err
		case err := <-follow.failed:
			fmt.Fprintf(stderr, "countersign: changes are not seen any more: %v\n", err)
		case paths := <-follow.changed:
			if err := o.changed(ctx, system, follow, paths, stdout, stderr); err != nil {
				return err
			}
		case <-follow.service:
			if state := system.Child().State(); state.Up && state.Run != follow.proved {
				follow.proved = state.Run
				o.proveAgain(ctx, system, stdout, stderr)
			}
		}
	}
}

// proveAgain proves what has come up anew: one line, unless there is a difference.
func (o *devOptions) proveAgain(ctx context.Context, system *dev.System, stdout, stderr io.Writer) {
	fail := func(err error) {
		if ctx.Err() == nil {
			fmt.Fprintf(stderr, "countersign: not proved: %v\n", err)
		}
	}
	defer o.gate.prove()()
	if err := system.LoadPolicy(ctx); err != nil {
		fail(err)
		return
	}
	release := hold(system)
	direct, err := system.Prove(ctx)
	var edge prove.Report
	if err == nil && direct.OK() {
		edge, err = system.ProveEdge(ctx)
	}
	release(err != nil || !direct.OK() || len(edge.Rows) > 0 && !edge.OK())
	for _, report := range []prove.Report{direct, edge} {
		if problem := printReport(stdout, report, !report.OK()); problem != nil {
			err = errors.Join(err, problem)
		}
	}
	if err != nil {
		fail(err)
	}
}

func sayStopping(w io.Writer) error {
	_, err := fmt.Fprintln(w, "\nstopping: requests under way are answered first")
	return err
}

// syncWriter lets several write whole lines to one place.
type syncWriter struct {
	mu sync.Mutex
	to io.Writer
}

// Write implements [io.Writer].
func (w *syncWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}
