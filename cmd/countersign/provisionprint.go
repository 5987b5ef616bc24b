package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

// provisionResult is what `countersign provision --output json` prints; docs/provision.md describes it.
type provisionResult struct {
	Target  string           `json:"target"`
	Plan    provision.Plan   `json:"plan"`
	Done    []provision.Step `json:"done,omitempty"`
	Applied bool             `json:"applied"` // the pool matches the file now
}

func (r provisionResult) writeJSON(w io.Writer) error { return encodeIndented(w, r) }

var signs = map[provision.Action]string{provision.Create: "+", provision.Update: "~", provision.Delete: "-", provision.Wait: "."}

func (r provisionResult) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Target)
	for _, s := range r.Plan.Steps {
		fmt.Fprintf(&b, "  %s %s %s\n", signs[s.Action], s.Kind, stepName(s))
		for _, f := range s.Fields {
			fmt.Fprintf(&b, "      %-24s %s\n", f.Name, change(f))
		}
	}
	if len(r.Plan.Withheld) > 0 {
		b.WriteString("\n  not in the file, and left as it is (--prune removes it):\n")
		for _, s := range r.Plan.Withheld {
			fmt.Fprintf(&b, "    %s %s\n", s.Kind, stepName(s))
			for _, f := range s.Fields {
				fmt.Fprintf(&b, "      %s\n", f.Name)
			}
		}
	}
	for _, text := range r.Plan.Notes {
		fmt.Fprintf(&b, "  note: %s\n", text)
	}
	for _, text := range r.Plan.Blocked {
		fmt.Fprintf(&b, "  cannot: %s\n", text)
	}
	b.WriteString(r.summary())
	_, err := io.WriteString(w, b.String())
	return err
}

func (r provisionResult) summary() string {
	counts := map[provision.Action]int{}
	for _, s := range r.Plan.Steps {
		counts[s.Action]++
	}
	switch {
	case len(r.Plan.Blocked) > 0:
		return "\nnothing was done\n"
	case len(r.Plan.Steps) == 0:
		return "nothing to change\n"
	}
	return fmt.Sprintf("\n%d to create, %d to update, %d to delete\n\n", counts[provision.Create], counts[provision.Update], counts[provision.Delete])
}

func stepName(s provision.Step) string {
	switch {
	case s.Place != "":
		return s.Name + " in " + s.Place
	case s.ID != "" && s.ID != s.Name:
		return s.Name + " (" + s.ID + ")"
	}
	return s.Name
}

func change(f provision.Field) string {
	switch {
	case f.Before == "":
		return f.After
	case f.After == "":
		return f.Before + " -> none"
	}
	return f.Before + " -> " + f.After
}

// count writes a number with its word: 1 step, 2 steps.
func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

var past = map[provision.Action]string{
	provision.Create: "created", provision.Update: "updated", provision.Delete: "deleted", provision.Wait: "waited for",
}
