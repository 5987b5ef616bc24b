package report

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/prove"
)

//go:embed page.html
var pageHTML string

//go:embed style.css
var styleCSS string

// icon is in the page, because a browser would ask for /favicon.ico otherwise.
const icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%230f766e'/%3E%3Cpath d='m4 8.4 2.7 2.6L12 5.4' fill='none' stroke='%23fff' stroke-width='2'/%3E%3C/svg%3E"

// policy allows the page its own style sheet, by hash, and its icon, and nothing else: it is opened from disks and artifact stores, and what
// slipped through the template as markup would find no script and no place to send anything to.
var policy = func() string {
	hash := sha256.Sum256([]byte(styleCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'"
}()

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"css":  func() template.CSS { return template.CSS(styleCSS) },
	"csp":  func() string { return policy },
	"icon": func() template.URL { return icon },
	"mark": func(s prove.State) string {
		return map[prove.State]string{prove.Proved: "✓", prove.Different: "✕", prove.NotRun: "?"}[s]
	},
	"class": func(s string) string { return strings.ReplaceAll(s, " ", "-") },
	"time":  func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") },
	"iso":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"words": func(n int, what string) string { return counted(n, what) },
}).Parse(pageHTML))

// view is what the page shows.
type view struct {
	Report
	Verdict                               string // proved, not proved, could not run
	Cases                                 int
	Proved, Different, Unprovable, NotRun int
	Routes                                []viewRoute
	Columns                               []cell
	Wrong                                 []Row // what is no proof
	Reasons                               []reason
	Attacks                               []attack
	Layers                                string
}

type viewRoute struct {
	ID, Method, Path, Rule, Where string
	Cells                         []cell
	Rows                          []Row
	Wrong                         int
}

// reason is why something cannot be proved.
type reason struct {
	Text          string
	Cases, Routes int
	last          string
}

// attack is one bad token or detour over all routes.
type attack struct {
	Case, Clause, Want                    string
	Kind                                  prove.Kind
	Proved, Different, Unprovable, NotRun int
}

// Cell is the attack as the matrix shows one.
func (a attack) Cell() cell {
	return cell{Proved: a.Proved, Different: a.Different, Unprovable: a.Unprovable, NotRun: a.NotRun, All: a.Proved + a.Different + a.Unprovable + a.NotRun}
}

func (r Report) html(w io.Writer) error {
	out := bufio.NewWriter(w)
	if err := page.Execute(out, r.view()); err != nil {
		return err
	}
	return out.Flush()
}

func (r Report) view() view {
	proof := r.Proof()
	v := view{
		Report: r, Verdict: r.verdict(), Cases: len(r.Rows), Layers: r.Layered(),
		Proved: proof.Count(prove.Proved), Different: proof.Count(prove.Different),
		Unprovable: proof.Count(prove.Unprovable), NotRun: proof.Count(prove.NotRun),
	}
	v.Columns = group{}.cells(r.hasComparisons())
	for i, column := range columns[:len(v.Columns)] {
		v.Columns[i].Reason = column.what
	}
	for i, g := range r.groups() {
		method, path, found := strings.Cut(g.route, " ")
		if !found {
			method, path = "ANY", g.route
		}
		v.Routes = append(v.Routes, viewRoute{
			"route-" + strconv.Itoa(i+1), method, path, g.rule, g.rows[0].where(), g.cells(r.hasComparisons()), g.rows,
			g.count(prove.Different) + g.count(prove.NotRun),
		})
	}
	v.collect(r.Rows)
	return v
}

// collect gathers what runs across the routes.
func (v *view) collect(rows []Row) {
	reasons, attacks := map[string]int{}, map[string]int{}
	for _, row := range rows {
		if !row.OK() {
			v.Wrong = append(v.Wrong, row)
		}
		if row.State == prove.Unprovable {
			text := cmp.Or(row.Note, "no reason given")
			i, known := reasons[text]
			if !known {
				i = len(v.Reasons)
				reasons[text] = i
				v.Reasons = append(v.Reasons, reason{Text: text})
			}
			v.Reasons[i].add(row)
		}
		if row.Kind != prove.KindBadToken && row.Kind != prove.KindDetour {
			continue
		}
		i, known := attacks[row.Case]
		if !known {
			i = len(v.Attacks)
			attacks[row.Case] = i
			v.Attacks = append(v.Attacks, attack{Case: row.Case, Clause: row.Clause, Want: row.Want, Kind: row.Kind})
		}
		v.Attacks[i].add(row.State)
	}
}

func (r *reason) add(row Row) {
	r.Cases++
	if r.last != row.Route { // the rows of a route stand together
		r.Routes++
		r.last = row.Route
	}
}

func (a *attack) add(s prove.State) {
	switch s {
	case prove.Proved:
		a.Proved++
	case prove.Different:
		a.Different++
	case prove.Unprovable:
		a.Unprovable++
	default:
		a.NotRun++
	}
}
