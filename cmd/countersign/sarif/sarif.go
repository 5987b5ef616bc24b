// Package sarif writes findings as a SARIF 2.1.0 log (OASIS, Static Analysis Results Interchange Format), as code scanning reads
// it. It has only what this program's findings need of the format.
//
// Start with [Run] and its Write.
package sarif

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/escape"
)

// Run is one run of the program with what it found.
type Run struct {
	Version string // the program's
	// Category tells runs apart that must not replace each other (Section 3.17.3). It ends with a slash.
	Category string
	// Fingerprint names the way in which the results' fingerprints are made, with its version: "countersignChange/v1".
	Fingerprint string
	Rules       []Rule
	Results     []Result
	// Invocation, if it is not nil, says how the run went.
	Invocation *Invocation
}

// Rule is a kind of finding. Ids are kept: code scanning knows an alert again by them.
type Rule struct {
	ID, Name, Title, Help string
	Level                 string // error, warning or note
	Severity              string // as GitHub's code scanning ranks security alerts, from 0.0 to 10.0
}

// Result is a finding.
type Result struct {
	Rule        string // the id of one of the run's
	Text        string // may have anything in it
	Fingerprint string // the same for the same finding, whatever line it moved to
	File        string // with slashes, relative to the repository; empty is no place in a file
	Line        int
	Name        string // of what it was found in, where it is no file; empty is none
}

// Invocation says how the run went.
type Invocation struct {
	Successful bool
	ExitCode   int
	Problems   []string // what could not be done
}

// Schema is the address of the format's schema.
const Schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// Write writes the log of the run.
func (r Run) Write(w io.Writer) error {
	run := run{
		Tool:              tool{driver{"countersign", r.Version, "https://github.com/countersign-dev/countersign", []rule{}}},
		AutomationDetails: map[string]string{"id": r.Category},
		ColumnKind:        "utf16CodeUnits",
		Results:           []result{}, // Section 3.14.23: empty says that nothing was found; absent, that nothing was looked for
	}
	index := map[string]int{}
	for i, k := range r.Rules {
		index[k.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, k.wire())
	}
	for _, found := range r.Results {
		i := index[found.Rule]
		run.Results = append(run.Results, result{
			found.Rule, i, r.Rules[i].Level, text{message.Replace(escape.Visible(found.Text))}, found.locations(),
			map[string]string{r.Fingerprint: found.Fingerprint},
		})
	}
	if r.Invocation != nil {
		run.Invocations = []invocation{r.Invocation.wire()}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(log{Schema, "2.1.0", []any{run}})
}

func (r Rule) wire() rule {
	return rule{
		ID: r.ID, Name: r.Name, ShortDescription: text{r.Title}, FullDescription: text{r.Help}, Help: text{r.Help},
		DefaultConfiguration: map[string]string{"level": r.Level},
		Properties:           map[string]any{"tags": []string{"security"}, "security-severity": r.Severity},
	}
}

func (r Result) locations() []location {
	var at location
	if r.File != "" {
		at.PhysicalLocation = &physical{
			map[string]string{"uri": escape.Path(r.File), "uriBaseId": "%SRCROOT%"}, map[string]int{"startLine": r.Line},
		}
	}
	if r.Name != "" {
		at.LogicalLocations = []map[string]string{{"fullyQualifiedName": escape.Visible(r.Name), "kind": "resource"}}
	}
	return []location{at}
}

func (i Invocation) wire() invocation {
	out := invocation{ExecutionSuccessful: i.Successful, ExitCode: i.ExitCode}
	for _, problem := range i.Problems {
		out.Notifications = append(out.Notifications, notification{"error", text{message.Replace(escape.Visible(problem))}})
	}
	return out
}

// SARIF 2.1.0, Section 3.11.5: a brace that is no placeholder is written twice. Section 3.11.6: "[text](target)" is a link in a plain
// text message too, which nobody's route shall become in a viewer.
var message = strings.NewReplacer("{", "{{", "}", "}}", "](", "] (")
