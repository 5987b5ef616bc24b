package review

import (
	"fmt"
	"io"
	"strings"
)

// github writes a workflow command for each change, which the runner shows at the line in the pull request.
func (r Report) github(w io.Writer) error {
	var out strings.Builder
	for _, c := range r.Changes {
		command := map[string]string{"error": "error", "warning": "warning", "note": "notice"}[kinds[c.Class].level]
		fmt.Fprintf(&out, "::%s file=%s,line=%d,title=%s::%s\n", command, annotationProperty.Replace(visible(c.File)), c.Line,
			annotationProperty.Replace(kinds[c.Class].title), annotationText.Replace(c.Route+" "+c.sentence()))
	}
	_, err := io.WriteString(w, out.String())
	return err
}
