package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/countersign-dev/countersign/prove"
)

// schemaVersion is the version of the JSON. Members are added to it, never renamed; another meaning gets another version.
const schemaVersion = 1

// maxJSON bounds what is read of an earlier report.
const maxJSON = 256 << 20

// document is the report for programs: docs/report.schema.json.
type document struct {
	Version  int         `json:"version"`
	Tool     tool        `json:"tool"`
	At       time.Time   `json:"at"`
	Policy   string      `json:"policy"`
	Target   string      `json:"target"`
	Verdict  string      `json:"verdict"`
	ExitCode int         `json:"exitCode"`
	Tokens   int         `json:"tokens"`
	Counts   counts      `json:"counts"`
	Gaps     []string    `json:"gaps,omitempty"`
	Rows     []Row       `json:"rows"`
	Compared *Comparison `json:"compared,omitempty"`
}

type tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type counts struct {
	Proved     int `json:"proved"`
	Different  int `json:"different"`
	Unprovable int `json:"unprovable"`
	NotRun     int `json:"notRun"`
}

func (r Report) json(w io.Writer) error {
	proof := r.Proof()
	d := document{
		Version: schemaVersion, Tool: tool{"countersign", r.Version}, At: r.At.UTC(), Policy: r.Policy, Target: r.Target,
		Verdict: r.verdict(), ExitCode: r.ExitCode(), Tokens: r.Tokens, Gaps: proof.Gaps(), Rows: r.Rows, Compared: r.Compared,
		Counts: counts{proof.Count(prove.Proved), proof.Count(prove.Different), proof.Count(prove.Unprovable), proof.Count(prove.NotRun)},
	}
	if d.Rows == nil {
		d.Rows = []Row{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

// ReadFile reads a report that was written as JSON. What an earlier comparison added to it is left out.
func ReadFile(path string) (Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return Report{}, fmt.Errorf("report: %w", err)
	}
	defer f.Close()
	r, err := Read(f)
	if err != nil {
		return Report{}, fmt.Errorf("report: %s: %w", clean(path), err)
	}
	return r, nil
}

// Read is [ReadFile] of a reader.
func Read(from io.Reader) (Report, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxJSON+1))
	if err != nil {
		return Report{}, err
	}
	if len(text) > maxJSON {
		return Report{}, fmt.Errorf("it is larger than %d MiB", maxJSON>>20)
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return Report{}, errors.New("it is no report of countersign prove --report json=FILE")
	}
	if d.Version != schemaVersion || d.Tool.Name != "countersign" {
		return Report{}, fmt.Errorf("it is no report of version %d of countersign prove --report json=FILE", schemaVersion)
	}
	r := Report{Version: clean(d.Tool.Version), At: d.At, Policy: clean(d.Policy), Target: clean(d.Target), Tokens: d.Tokens}
	for _, row := range d.Rows {
		if row.Kind != KindComparison {
			r.Rows = append(r.Rows, row.clean())
		}
	}
	return r, nil
}
