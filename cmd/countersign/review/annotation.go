package review

import (
	"io"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/escape"
)

// github writes a workflow command for each change, which the runner shows at the line in the pull request.
func (r Report) github(w io.Writer) error {
	var out strings.Builder
	for _, c := range r.Changes {
		command := map[string]string{"error": "error", "warning": "warning", "note": "notice"}[kinds[c.Class].Level]
		out.WriteString(escape.Command{
			Name: command, File: c.File, Line: c.Line, Title: kinds[c.Class].Title, Text: c.Route + " " + c.sentence(),
		}.String() + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}
