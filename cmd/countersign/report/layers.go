package report

import (
	"strconv"

	"github.com/countersign-dev/countersign/prove"
)

// Via says how the service was reached.
type Via string

// The two ways to a service that stands behind an edge.
const (
	Through Via = "through the edge"
	Direct  Via = "past the edge"
)

// Layer says who refused a request that must be refused.
type Layer string

// The layers of a row that was asked both ways.
const (
	Service Layer = "the service"              // the edge passed the request on, and the service refused it
	Both    Layer = "the edge and the service" // the edge refused it, and so does the service
	Edge    Layer = "the edge only"            // whoever reaches the service past the edge gets in
	Nobody  Layer = "nobody"                   // somebody gets in through the edge
	Unknown Layer = "unknown"                  // one of the two was not asked
)

// NewLayers makes one report of two proofs of the same policy: through the edge, and past it. Every case is in it twice. That a
// refusal is the edge's only, is a difference: the row of the direct way names it. Both were made with the same tokens.
func NewLayers(cfg Config, through, direct prove.Report) Report {
	edge, service := New(cfg, through), New(cfg, direct)
	r := edge
	r.Target, r.Tokens, r.Rows = edge.Target+" and past it "+service.Target, max(edge.Tokens, service.Tokens), nil
	past := map[string]*Row{}
	for i := range service.Rows {
		past[service.Rows[i].key()] = &service.Rows[i]
	}
	known := passedOn(edge.Rows)
	for _, group := range edge.groups() {
		var below []Row
		for _, t := range group.rows {
			t.Via = Through
			if d := past[t.key()]; d != nil {
				delete(past, t.key())
				layer := whoRefused(t, *d, known)
				t.RefusedBy = layer
				below = append(below, d.direct(layer))
			}
			t.Case += ", " + string(Through)
			r.Rows = append(r.Rows, t)
		}
		r.Rows = append(r.Rows, below...)
	}
	for _, row := range service.Rows { // what was not asked through the edge at all
		if past[row.key()] != nil {
			r.Rows = append(r.Rows, row.direct(""))
		}
	}
	return r
}

func (r Row) key() string { return r.Route + "\x00" + r.Rule + "\x00" + r.Case }

func (r Row) direct(layer Layer) Row {
	r.Via, r.RefusedBy = Direct, layer
	r.Case += ", " + string(Direct)
	if layer == Edge {
		note := "protected at the edge only: whoever reaches the service past it gets in"
		if r.Note != "" {
			note += "; " + r.Note
		}
		r.State, r.Note = prove.Different, note
	}
	return r
}

// passedOn are the Server headers of the service's own answers, as the edge passes them on. Many an edge puts its own name there.
func passedOn(rows []Row) map[string]bool {
	servers := map[string]bool{}
	for _, row := range rows {
		if row.admitted() {
			servers[row.Look.Server] = true
		}
	}
	return servers
}

// whoRefused compares the two answers to a request that must be refused. Where both refuse, it was the service if the answers look alike: the
// edge has its own challenge, media type and name.
func whoRefused(through, direct Row, known map[string]bool) Layer {
	if through.Kind == prove.KindAllowed {
		return ""
	}
	if through.State == prove.Unprovable && direct.State == prove.Unprovable {
		return ""
	}
	t, d := through.status(), direct.status()
	switch {
	case t == 0 || d == 0:
		return Unknown
	case through.admitted():
		return Nobody
	case direct.admitted():
		return Edge
	case t == d && through.Look.Challenge == direct.Look.Challenge && through.Look.Type == direct.Look.Type &&
		(len(known) == 0 || known[through.Look.Server] || through.Look.Server == direct.Look.Server):
		return Service
	}
	return Both
}

// status is the one of the answer, or 0 if there was none.
func (r Row) status() int {
	if len(r.Got) < 3 {
		return 0
	}
	status, err := strconv.Atoi(r.Got[:3])
	if err != nil || r.State == prove.NotRun || r.State == prove.Unprovable {
		return 0
	}
	return status
}

// admitted reports whether the request got to where it wanted. A redirect is none: it leads back to the edge's own sign-in as often as not.
func (r Row) admitted() bool { return r.status() >= 200 && r.status() < 300 }

// EdgeOnly counts the requests that only the edge refuses.
func (r Report) EdgeOnly() int { return len(r.layers(Edge)) }

func (r Report) layers(l Layer) []Row {
	var rows []Row
	for _, row := range r.Rows {
		if row.Via == Direct && row.RefusedBy == l {
			rows = append(rows, row)
		}
	}
	return rows
}

// Layered says in one line who refused what had to be refused; empty if the service was reached one way only.
func (r Report) Layered() string {
	text := ""
	for _, l := range []Layer{Service, Both, Edge, Nobody, Unknown} {
		if n := len(r.layers(l)); n > 0 {
			by := " by "
			if l == Unknown {
				by = " "
			}
			text += ", " + strconv.Itoa(n) + by + string(l)
		}
	}
	if text == "" {
		return ""
	}
	return "refused: " + text[2:]
}
