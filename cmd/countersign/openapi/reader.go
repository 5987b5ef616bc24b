package openapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// The bounds of a document, beside those of its files.
const (
	maxOperations = 10_000
	maxProblems   = 50
	maxParameters = 500      // of one operation
	maxScopes     = 100      // of one requirement
	maxBodies     = 16 << 20 // bytes of all examples of bodies
	// maxWork bounds the walk, in values looked at. A document is as large as its text, but what refers to a large object
	// a thousand times has it a thousand times.
	maxWork = 5_000_000
	lookUps = 20 // members that are asked for of one object
)

// reader walks a document once and gathers what is wrong with it.
type reader struct {
	cfg      Config
	library  *library
	out      Document
	problems []error
	said     map[string]bool         // problems and notes; a component is looked at from each operation that uses it
	checked  map[*document.Node]bool // objects whose members are known
	matches  map[string]string       // of patterns so far
	hosts    map[string]bool
	work     int
	bodies   int // bytes

	schemes map[string]scheme
	global  *document.Node // security of the document; nil if it has none
	server  server
	mux     *http.ServeMux // over the patterns so far
}

func newReader(cfg Config, l *library) *reader {
	return &reader{cfg: cfg, library: l, said: map[string]bool{}, checked: map[*document.Node]bool{}, matches: map[string]string{}, hosts: map[string]bool{}, mux: http.NewServeMux()}
}

// fail takes a problem down, once.
func (r *reader) fail(err error) {
	if err == nil || r.said[err.Error()] || len(r.problems) > maxProblems {
		return
	}
	r.said[err.Error()] = true
	if len(r.problems) == maxProblems {
		err = fmt.Errorf("and more: only the first %d problems are listed", maxProblems)
	}
	r.problems = append(r.problems, err)
}

func (r *reader) failf(p document.Place, format string, args ...any) {
	r.fail(p.Errorf(format, args...))
}

func (r *reader) notef(p document.Place, format string, args ...any) {
	n := Note{p, fmt.Sprintf(format, args...)}
	if !r.said[n.String()] {
		r.said[n.String()] = true
		r.out.Notes = append(r.out.Notes, n)
	}
}

// spend counts values that are looked at, and says whether there may be more.
func (r *reader) spend(n int) bool {
	if r.work += n; r.work > maxWork {
		r.failf(r.library.start, "the document refers to large objects too often; split it")
		return false
	}
	return true
}

// is checks the kind of a value that may be absent. A value of another kind is a problem and counts as absent.
func (r *reader) is(n *document.Node, kind document.Kind, what string) bool {
	if n == nil {
		return false
	}
	if n.Kind != kind {
		r.failf(n.Place, "%s is %s; write %s", what, n.Kind, kind)
	}
	return n.Kind == kind
}

// text reads a string that may be absent.
func (r *reader) text(n *document.Node, what string) string {
	if !r.is(n, document.String, what) {
		return ""
	}
	return n.Text
}

// flag reads a boolean that may be absent.
func (r *reader) flag(n *document.Node, what string) bool {
	return r.is(n, document.Bool, what) && n.Text == "true"
}

// members checks the names of an object's members: one that is not known and no extension (OpenAPI 3.1.0, Section 4.9) is a
// mistake that could hide a route or open one.
func (r *reader) members(n *document.Node, what string, known []string) bool {
	if !r.is(n, document.Object, what) || !r.spend(lookUps*len(n.Members)) {
		return false
	}
	if r.checked[n] {
		return true
	}
	r.checked[n] = true
	for _, m := range n.Members {
		if slices.Contains(known, m.Name) || strings.HasPrefix(m.Name, "x-") {
			continue
		}
		instead := "for a member of your own write x-" + m.Name
		if near := nearest(m.Name, known); near != "" {
			instead = "write " + near
		}
		r.failf(m.Place, "%s is no member of %s; %s", document.Quote(m.Name), what, document.Plain(instead))
	}
	return true
}

// nearest is the known word that is at most two letters from the one that was written.
func nearest(word string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k), least); d < least && d < len(k) {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to insert, remove or replace (Levenshtein), up to a limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j+1]+1, row[j]+1, replace)
		}
	}
	return row[len(b)]
}
