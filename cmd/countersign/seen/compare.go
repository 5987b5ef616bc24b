package seen

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/escape"
)

// Route is a route of a document: its pattern as net/http writes it, and the name that people know it by.
type Route struct{ Pattern, Name string }

// Comparison is what a log and a document say about each other.
type Comparison struct {
	// Undocumented are the routes that were served and that the document lacks, ordered by path.
	Undocumented []Visited
	// Refused are the routes that the document lacks and that only refused: somebody guards them.
	Refused []Visited
	// Unserved are the names of the documented routes that nobody was served, in the order of the document.
	Unserved []string

	log *Log
}

// Visited is a route as the log shows it.
type Visited struct {
	Method   string
	Path     string // with {} in the place of what looks like an identifier
	Count    int
	Statuses []int // in order
}

// Compare puts a log beside the routes of a document. Paths are the service's own.
func (l *Log) Compare(routes []Route) *Comparison {
	c := &Comparison{log: l}
	mux := http.NewServeMux()
	names := map[string]string{}
	for _, r := range routes {
		if register(mux, r.Pattern) {
			names[r.Pattern] = r.Name
		}
	}
	served := map[string]bool{}
	unknown := map[visit]*answers{}
	for v, a := range l.visits {
		if pattern := match(mux, v); pattern != "" {
			served[names[pattern]] = served[names[pattern]] || a.served()
			continue
		}
		v.path = generalise(v.path)
		sum := unknown[v]
		if sum == nil {
			sum = &answers{}
			unknown[v] = sum
		}
		sum.count += a.count
		sum.statuses = append(sum.statuses, a.statuses...)
	}
	for _, v := range slices.SortedFunc(maps.Keys(unknown), func(a, b visit) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method))
	}) {
		a := unknown[v]
		visited := Visited{v.method, v.path, a.count, slices.Compact(slices.Sorted(slices.Values(a.statuses)))}
		switch {
		case a.served():
			c.Undocumented = append(c.Undocumented, visited)
		case a.exists():
			c.Refused = append(c.Refused, visited)
		}
	}
	for _, r := range routes {
		if !served[r.Name] && !slices.Contains(c.Unserved, r.Name) {
			c.Unserved = append(c.Unserved, r.Name)
		}
	}
	return c
}

// register leaves out what overlaps another pattern.
func register(mux *http.ServeMux, pattern string) (ok bool) {
	defer func() { ok = recover() == nil }()
	mux.Handle(pattern, http.NotFoundHandler())
	return true
}

// match is the pattern that serves a visit, and empty if none does. net/http answers paths that are not clean with a redirect: they
// count as what they lead to.
func match(mux *http.ServeMux, v visit) string {
	path, err := url.PathUnescape(v.path)
	if err != nil {
		return ""
	}
	_, pattern := mux.Handler(&http.Request{Method: v.method, URL: &url.URL{Path: path, RawPath: v.path}})
	return pattern
}

// maxLines bounds each list that is written.
const maxLines = 50

// Write writes the comparison as a section of its own, behind the table of a proof. Name is the log's.
func (c *Comparison) Write(w io.Writer, name string) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "\nSeen in %s (%s)\n", escape.Visible(name), count(c.log.Requests, "request"))
	visits(out, "served, and not in the document", c.Undocumented)
	visits(out, "refused, and not in the document", c.Refused)
	if len(c.Unserved) > 0 {
		fmt.Fprintf(out, "  in the document, and never served:\n")
		for _, name := range c.Unserved[:min(len(c.Unserved), maxLines)] {
			fmt.Fprintf(out, "    %s\n", escape.Visible(name))
		}
		more(out, len(c.Unserved))
	}
	if len(c.Undocumented)+len(c.Refused)+len(c.Unserved) == 0 {
		fmt.Fprintf(out, "  every route of the document was served, and no other\n")
	}
	for _, left := range []struct {
		n    int
		text string
	}{
		{c.log.Elsewhere, "to other hosts left out"},
		{c.log.Unreadable, "not read: no request of the common or combined format"},
	} {
		if left.n > 0 {
			fmt.Fprintf(out, "  %d %s\n", left.n, left.text)
		}
	}
	if c.log.full {
		fmt.Fprintf(out, "  the log has more than %d paths; the rest is not compared\n", 2*maxRoutes)
	}
	return out.Flush()
}

func visits(out io.Writer, title string, all []Visited) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(out, "  %s:\n", title)
	for _, v := range all[:min(len(all), maxLines)] {
		statuses := strings.Trim(fmt.Sprint(v.Statuses), "[]")
		fmt.Fprintf(out, "    %s %s  %s (%s)\n", v.Method, escape.Visible(v.Path), statuses, count(v.Count, "request"))
	}
	more(out, len(all))
}

func more(out io.Writer, n int) {
	if n > maxLines {
		fmt.Fprintf(out, "    and %d more\n", n-maxLines)
	}
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
