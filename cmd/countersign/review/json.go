package review

import (
	"encoding/json"
	"io"
)

// jsonReport is the report for programs. Members are added to it, never renamed; another meaning gets another version.
type jsonReport struct {
	Version  int            `json:"version"`
	Base     jsonSide       `json:"base"`
	Head     jsonSide       `json:"head"`
	Headline string         `json:"headline"`
	Widened  bool           `json:"widened"`
	Counts   map[Class]int  `json:"counts"`
	Changes  []jsonOfChange `json:"changes"`
}

type jsonSide struct {
	Name     string `json:"name"`
	Missing  bool   `json:"missing,omitempty"`
	Resource string `json:"resource,omitempty"`
	Routes   int    `json:"routes"`
}

type jsonOfChange struct {
	Class   Class  `json:"class"`
	Pattern string `json:"pattern"`
	Widened bool   `json:"widened"`
	Old     string `json:"old,omitempty"`
	New     string `json:"new,omitempty"`
	Text    string `json:"text"`
	File    string `json:"file"`
	Line    int    `json:"line"`
}

func (r Report) json() jsonReport {
	out := jsonReport{
		Version: 1, Base: r.Base.json(), Head: r.Head.json(), Headline: r.Headline(), Widened: r.Widened(),
		Counts: map[Class]int{}, Changes: []jsonOfChange{},
	}
	for _, h := range headlines {
		out.Counts[h.class] = r.Count(h.class)
	}
	for _, c := range r.Changes {
		out.Changes = append(out.Changes, jsonOfChange{
			c.Class, c.pattern, c.Widened, c.Old, c.New, c.Route + " " + c.sentence(), c.File, c.Line,
		})
	}
	return out
}

func (s Side) json() jsonSide {
	return jsonSide{s.Name, s.Missing(), s.Policy.Resource, len(s.Policy.Routes)}
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
