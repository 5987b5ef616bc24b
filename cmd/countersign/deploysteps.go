package main

import (
	"fmt"
	"io"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/deploy"
	"github.com/countersign-dev/countersign/cmd/countersign/escape"
)

// stepState is what came of a step.
type stepState string

const (
	stepDone    stepState = "done"
	stepSkipped stepState = "skipped"
	stepFailed  stepState = "failed"
)

// stepResult is one step of deploy or destroy.
type stepResult struct {
	Name    string    `json:"name"`
	State   stepState `json:"state"`
	Detail  string    `json:"detail"`
	Seconds float64   `json:"seconds"`
}

// steps are told as they end, each with how long it took.
type steps struct {
	out  io.Writer // where the lines go
	line *progress // what goes on now
	all  []stepResult
}

func newSteps(stderr io.Writer) steps {
	return steps{out: io.Discard, line: newProgress(stderr)}
}

// do runs one step. What it returns is what is said of it; an error says that it failed.
func (s *steps) do(name string, step func() (string, error)) error {
	began := time.Now()
	s.line.say(name + " …")
	detail, err := step()
	state := stepDone
	if err != nil {
		state, detail = stepFailed, err.Error()
	}
	s.add(stepResult{name, state, detail, time.Since(began).Seconds()})
	return err
}

// skip says why a step is not done.
func (s *steps) skip(name, why string) { s.add(stepResult{name, stepSkipped, why, 0}) }

func (s *steps) add(r stepResult) {
	s.line.clear()
	s.all = append(s.all, r)
	switch r.State {
	case stepDone:
		fmt.Fprintf(s.out, "%-10s %s (%.1f s)\n", r.Name, escape.Visible(r.Detail), r.Seconds)
	case stepSkipped:
		fmt.Fprintf(s.out, "%-10s not done: %s\n", r.Name, escape.Visible(r.Detail))
	case stepFailed: // the error is said by whoever gets it
		fmt.Fprintf(s.out, "%-10s FAILED (%.1f s)\n", r.Name, r.Seconds)
	}
}

// deployResult is what `countersign deploy --output json` prints; docs/deploy.md describes it.
type deployResult struct {
	Service     string          `json:"service"`
	Environment string          `json:"environment,omitempty"`
	Context     string          `json:"context"`
	Namespace   string          `json:"namespace"`
	Image       string          `json:"image,omitempty"`
	DryRun      bool            `json:"dryRun,omitempty"`
	Diff        string          `json:"diff,omitempty"` // of a dry run: what would change
	Steps       []stepResult    `json:"steps"`
	Failure     *deploy.Failure `json:"failure,omitempty"`
}

func (r deployResult) writeJSON(w io.Writer) error { return encodeIndented(w, r) }

// writeFailure tells a person why a rollout failed. What pods and events say came from elsewhere.
func writeFailure(w io.Writer, f deploy.Failure, rollback string) {
	fmt.Fprintf(w, "the rollout failed: %s\n", escape.Visible(f.Reason))
	for _, p := range f.Pods {
		fmt.Fprintf(w, "  pod %s: %s %s\n", escape.Visible(p.Name), escape.Visible(p.State), escape.Visible(p.Message))
		for _, line := range p.Log {
			fmt.Fprintf(w, "    | %s\n", escape.Visible(line))
		}
	}
	for _, e := range f.Events {
		fmt.Fprintf(w, "  event: %s\n", escape.Visible(e))
	}
	for _, a := range f.Advice {
		fmt.Fprintf(w, "what to do: %s\n", escape.Visible(a))
	}
	switch {
	case f.Running == nil:
		fmt.Fprintln(w, "what runs is not known")
		return
	case len(f.Running) == 0:
		fmt.Fprintln(w, "nothing of the service runs")
		return
	}
	for _, r := range f.Running {
		fmt.Fprintf(w, "still runs: %s\n", escape.Visible(r))
	}
	fmt.Fprintf(w, "to give the new pods up: %s\n", rollback)
}
