package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/prove"
)

// paceOptions are the flags of prove that say how hard the service is asked.
type paceOptions struct {
	rate        float64
	timeout     time.Duration
	concurrency int
	allowWrites bool
	probe       string
	wait        time.Duration
	strict      bool
}

// The bounds of the flags. A proof is no load test.
const (
	maxRate        = 10_000
	maxConcurrency = 100
	minTimeout     = 100 * time.Millisecond
	maxTimeout     = 10 * time.Minute
	maxWait        = time.Hour
)

func (o *paceOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Float64Var(&o.rate, "rate", 0, "requests a second at most (default: no bound but --concurrency)")
	flags.DurationVar(&o.timeout, "timeout", 10*time.Second, "how long to wait for an answer, 100ms to 10m")
	flags.IntVar(&o.concurrency, "concurrency", 8, "requests under way at most, 1 to 100")
	flags.BoolVar(&o.allowWrites, "allow-writes", false, "send what must be admitted to POST, PUT, PATCH and DELETE on another machine too: it changes things there")
	flags.DurationVar(&o.wait, "wait", 0, "how long to wait for a service that is starting: until it answers something else than 502, 503 and 504")
	flags.BoolVar(&o.strict, "strict", false, "end with exit code 2 if there was no client to try a wrong scope or the right caller with, or no leave to")
	flags.StringVar(&o.probe, "probe", "", "scope of the service's dry-run probe (countersign.Config.ProbeScope): ask the guard, and send nothing that changes things, on any machine")
}

func (o paceOptions) check(cmd *cobra.Command) error {
	var problems []error
	if o.rate < 0 || o.rate > maxRate || o.rate == 0 && cmd.Flags().Changed("rate") {
		problems = append(problems, fmt.Errorf("--rate %v: write requests a second, more than 0 and up to %d, as in 5 or 0.5", o.rate, maxRate))
	}
	if o.timeout < minTimeout || o.timeout > maxTimeout {
		problems = append(problems, fmt.Errorf("--timeout %s: write %s to %s", o.timeout, minTimeout, maxTimeout))
	}
	if o.concurrency < 1 || o.concurrency > maxConcurrency {
		problems = append(problems, fmt.Errorf("--concurrency %d: write 1 to %d", o.concurrency, maxConcurrency))
	}
	if o.wait < 0 || o.wait > maxWait {
		problems = append(problems, fmt.Errorf("--wait %s: write a time up to %s, as in 60s", o.wait, maxWait))
	}
	if o.probe != "" && o.allowWrites {
		problems = append(problems, errors.New("--probe and --allow-writes: the one sends nothing that changes things, the other does; choose one"))
	}
	return errors.Join(problems...)
}

// apply bounds a proof. With a rate, a request waits for its turn first, and that is no time in which the service could have answered.
func (o paceOptions) apply(cfg *prove.Config) {
	cfg.Concurrency, cfg.Timeout, cfg.Probe, cfg.Strict = o.concurrency, o.timeout, o.probe, o.strict
	if o.rate > 0 {
		cfg.Target = &paced{Target: cfg.Target, interval: time.Duration(float64(time.Second) / o.rate), timeout: o.timeout}
		cfg.Timeout = waitForever
	}
}

// waitForever is longer than any proof.
const waitForever = 365 * 24 * time.Hour

var errNoAnswer = errors.New("no answer in time")

// paced is a target that is asked once in an interval.
type paced struct {
	prove.Target
	interval, timeout time.Duration

	mu   sync.Mutex
	next time.Time // when the next request may go
}

// Do implements [prove.Target].
func (p *paced) Do(r *http.Request) (*http.Response, error) {
	if err := p.wait(r.Context()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), p.timeout, errNoAnswer)
	defer cancel()
	res, err := p.Target.Do(r.WithContext(ctx))
	if err != nil && errors.Is(context.Cause(ctx), errNoAnswer) {
		err = errNoAnswer
	}
	return res, err
}

// wait takes the next turn and waits for it.
func (p *paced) wait(ctx context.Context) error {
	p.mu.Lock()
	now := time.Now()
	turn := p.next
	if turn.Before(now) {
		turn = now
	}
	p.next = turn.Add(p.interval)
	p.mu.Unlock()
	if turn.Equal(now) {
		return nil
	}
	timer := time.NewTimer(turn.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
