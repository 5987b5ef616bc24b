package report

import (
	"regexp"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/escape"
	"github.com/countersign-dev/countersign/cmd/countersign/place"
	"github.com/countersign-dev/countersign/prove"
)

// KindComparison is the kind of the rows that [Report.Compare] adds.
const KindComparison prove.Kind = "comparison"

// Report is a proof with what a reader has to know who was not there.
type Report struct {
	Version  string    // of the program
	At       time.Time // when the proof began
	Policy   string    // the policy's file, or in words where it came from
	Target   string
	Tokens   int  // that were asked of the issuer
	Strict   bool // what was not tried, [prove.Report.Gaps], is no proof
	Rows     []Row
	Compared *Comparison // nil if it was compared with nothing
}

// Row is a case with what was found.
type Row struct {
	prove.Row
	Via       Via    `json:"via,omitempty"`       // how the service was reached; empty where there was one way
	RefusedBy Layer  `json:"refusedBy,omitempty"` // empty where there was one way, or nothing to refuse
	File      string `json:"file,omitempty"`      // where the route is shown: its registration, or the policy file
	Line      int    `json:"line,omitempty"`
}

// Config is what a report says beside its rows.
type Config struct {
	Version string // of the program
	At      time.Time
	Policy  string       // the policy's file, or in words where it came from
	Places  place.Places // of the routes
}

// New makes the report of a proof. Each text in it is made visible, and what looks like a token is taken out: it came from a
// policy file and from a service, and goes to terminals, browsers and parsers.
func New(cfg Config, proof prove.Report) Report {
	r := Report{Version: cfg.Version, At: cfg.At, Policy: clean(cfg.Policy), Target: clean(proof.Target), Tokens: proof.Tokens, Strict: proof.Strict}
	for _, found := range proof.Rows {
		row := Row{Row: found}
		pattern := found.Route
		row.File, row.Line = cfg.Places.Of(pattern, found.Source)
		r.Rows = append(r.Rows, row.clean())
	}
	return r
}

func (r Row) clean() Row {
	for _, text := range []*string{
		&r.Route, &r.Rule, &r.Source, &r.Case, (*string)(&r.Kind), &r.Clause, (*string)(&r.State), &r.Want, &r.Got, &r.Note,
		&r.Look.Server, &r.Look.Type, &r.Look.Challenge, (*string)(&r.Via), (*string)(&r.RefusedBy), &r.File,
	} {
		*text = clean(*text)
	}
	return r
}

// tokenLike is how the header of a JWT begins, {" in base64url, and what may follow.
var tokenLike = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}[A-Za-z0-9_.=-]*`)

func clean(s string) string { return tokenLike.ReplaceAllString(escape.Visible(s), "<redacted>") }

// Proof is the report as [prove.Table] writes it.
func (r Report) Proof() prove.Report {
	p := prove.Report{Target: r.Target, Tokens: r.Tokens, Strict: r.Strict}
	for _, row := range r.Rows {
		p.Rows = append(p.Rows, row.Row)
	}
	return p
}

// ExitCode is 0 if everything that can be proved was proved, 1 if there is a difference, 2 if something could not be run.
func (r Report) ExitCode() int { return r.Proof().ExitCode() }

// missing are what was not tried, where that is no proof.
func (r Report) missing() []string {
	if !r.Strict {
		return nil
	}
	return r.Proof().Gaps()
}

// verdict says the exit code in words.
func (r Report) verdict() string {
	return []string{"proved", "not proved", "could not run"}[r.ExitCode()]
}

// group is the rows of one route and rule, in the report's order.
type group struct {
	route, rule, source string
	rows                []Row
}

func (g group) count(s prove.State) int {
	n := 0
	for _, row := range g.rows {
		if row.State == s {
			n++
		}
	}
	return n
}

// groups are the routes of the report.
func (r Report) groups() []group {
	var all []group
	for _, row := range r.Rows {
		if n := len(all); n == 0 || all[n-1].route != row.Route || all[n-1].rule != row.Rule {
			all = append(all, group{row.Route, row.Rule, row.Source, nil})
		}
		last := &all[len(all)-1]
		last.rows = append(last.rows, row)
	}
	return all
}

// sentence says what was found, for those forms that have one text for it.
func (r Row) sentence() string {
	text := r.Case + ": want " + r.Want
	if r.Got != "" {
		text += ", got " + r.Got
	} else {
		text += ", " + string(r.State)
	}
	if r.Note != "" {
		text += " (" + r.Note + ")"
	}
	return text
}
