package review

import (
	"fmt"
	"io"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/escape"
)

// marker lets a job find the comment that it wrote before, and write it anew in its place.
const marker = "<!-- countersign diff -->"

// signs stand in the first column of the Markdown table.
var signs = map[Class]string{
	Public: ":warning: public", Reported: ":warning: reported", Widened: ":warning: widened", Appeared: "new",
	Narrowed: "narrowed", Vanished: "gone", Reworded: "reworded",
}

// markdown is the body of a comment on the pull request.
func (r Report) markdown(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n### Who may call what\n\n", marker)
	if len(r.Changes) == 0 {
		out.WriteString("Nobody may call more or less than before.\n")
	} else {
		fmt.Fprintf(&out, "%s.\n\n", r.markdownHeadline())
		if r.otherResource() {
			fmt.Fprintf(&out, "The resource changed: %s.\n\n", r.resources(escape.Code))
		}
		out.WriteString("| | route | who could call | who may call | where |\n|---|---|---|---|---|\n")
	}
	for _, c := range r.Changes {
		now := cell(c.New)
		if c.instead != "" {
			now += " by " + escape.Code(c.instead)
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", signs[c.Class], escape.Code(c.Route), cell(c.Old), now, escape.Code(where(c)))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func cell(who string) string {
	if who == "" {
		return "no such route"
	}
	return escape.Code(who)
}

// markdownHeadline is the headline with what came from the file set as code.
func (r Report) markdownHeadline() string {
	quoted := Report{Base: r.Base, Head: r.Head}
	for _, c := range r.Changes {
		c.Route, c.New = escape.Code(c.Route), escape.Code(c.New)
		quoted.Changes = append(quoted.Changes, c)
	}
	return quoted.Headline()
}
