package main

import (
	"io"

	"github.com/countersign-dev/countersign"
)

// explanationJSON is an explanation for programs. Members are added to it, never renamed; another meaning gets another version.
type explanationJSON struct {
	Version int         `json:"version"`
	Route   string      `json:"route,omitempty"` // the pattern, if a route was asked about
	Rule    string      `json:"rule,omitempty"`
	Source  string      `json:"source,omitempty"`
	LetIn   bool        `json:"letIn"`
	Reason  string      `json:"reason,omitempty"` // of the refusal
	Advice  string      `json:"advice,omitempty"`
	Checks  []checkJSON `json:"checks"`
}

type checkJSON struct {
	Name   string `json:"name"`
	Clause string `json:"clause"`
	OK     bool   `json:"ok"`
	Want   string `json:"want"`
	Got    string `json:"got"`
	Reason string `json:"reason,omitempty"`
}

// writeExplanation is printExplanation for programs.
func writeExplanation(w io.Writer, route countersign.Route, e countersign.Explanation) error {
	reason := e.Refused()
	out := explanationJSON{Version: 1, LetIn: reason == "", Reason: string(reason), Advice: advice[reason], Checks: []checkJSON{}}
	if route.Pattern != "" {
		out.Route, out.Rule, out.Source = route.Pattern, route.Rule.String(), route.Source
	}
	for _, c := range e.Checks {
		out.Checks = append(out.Checks, checkJSON{c.Name, c.Clause, c.OK, c.Want, c.Got, string(c.Reason)})
	}
	if err := encodeIndented(w, out); err != nil {
		return err
	}
	if reason != "" {
		return exitError(exitDifference)
	}
	return nil
}
