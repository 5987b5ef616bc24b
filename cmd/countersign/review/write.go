package review

import (
	"fmt"
	"io"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/escape"
)

// Formats are the forms in which a report can be written, by name.
var Formats = []string{"text", "markdown", "sarif", "github", "json"}

// Write writes the report in one of [Formats]. The version is the program's, for those forms that name their writer.
func (r Report) Write(w io.Writer, format, version string) error {
	switch format {
	case "text":
		return r.text(w)
	case "markdown":
		return r.markdown(w)
	case "sarif":
		return r.sarif(w, version)
	case "github":
		return r.github(w)
	case "json":
		return writeJSON(w, r.json())
	}
	return fmt.Errorf("review: there is no format %s; there are %s", escape.Visible(format), strings.Join(Formats, ", "))
}

// text is for a terminal. An exclamation mark stands before what admits more callers.
func (r Report) text(w io.Writer) error {
	var out strings.Builder
	out.WriteString(r.Headline() + "\n")
	if r.otherResource() {
		fmt.Fprintf(&out, "the resource changed: %s\n", r.resources(escape.Visible))
	}
	if len(r.Changes) > 0 {
		out.WriteString("\n")
	}
	for _, c := range r.Changes {
		mark := " "
		if c.Widened {
			mark = "!"
		}
		fmt.Fprintf(&out, "%s %s %s\n    %s\n", mark, c.Route, c.sentence(), where(c))
	}
	if r.Widened() {
		out.WriteString("\n! admits callers who were refused before\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func where(c Change) string { return fmt.Sprintf("%s:%d", escape.Visible(c.File), c.Line) }

// resources says what the scopes of either side belong to.
func (r Report) resources(quote func(string) string) string {
	say := func(s Side) string {
		if s.Policy.Profile == "" {
			return quote(s.Policy.Resource)
		}
		return quote(s.Policy.Resource) + " (profile " + quote(string(s.Policy.Profile)) + ")"
	}
	return say(r.Base) + " -> " + say(r.Head)
}
