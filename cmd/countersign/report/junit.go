package report

import (
	"encoding/xml"
	"io"
	"strconv"

	"github.com/countersign-dev/countersign/prove"
)

// What is written of JUnit's XML, which has no one definition: what the schema of Jenkins' xUnit plug-in (junit-10.xsd) allows and
// GitLab reads. It is why no test case has a file attribute, and no suites a count of those that were skipped.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		ID         int             `xml:"id,attr"`
		File       string          `xml:"file,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string      `xml:"name,attr"`
		Class   string      `xml:"classname,attr"`
		Time    string      `xml:"time,attr"`
		Skipped *junitFound `xml:"skipped"`
		Error   *junitFound `xml:"error"`
		Failure *junitFound `xml:"failure"`
	}
	junitFound struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit writes a suite for each route. Every text has gone through [New]: no character is left that XML 1.0 does not have.
func (r Report) junit(w io.Writer) error {
	proof := r.Proof()
	all := junitSuites{
		Name: "countersign prove", Tests: len(r.Rows), Failures: proof.Count(prove.Different), Errors: proof.Count(prove.NotRun),
	}
	for i, g := range r.groups() {
		suite := junitSuite{
			Name: g.route, Tests: len(g.rows), ID: i, File: g.rows[0].File,
			Failures: g.count(prove.Different), Errors: g.count(prove.NotRun), Skipped: g.count(prove.Unprovable),
			Timestamp:  r.At.UTC().Format("2006-01-02T15:04:05"), // XML Schema's dateTime, without a zone as Ant writes it
			Properties: []junitProperty{{"rule", g.rule}, {"source", g.source}, {"target", r.Target}, {"policy", r.Policy}},
		}
		for _, row := range g.rows {
			suite.Cases = append(suite.Cases, row.junit())
		}
		all.Suites = append(all.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (r Row) junit() junitCase {
	c := junitCase{Name: r.Case, Class: r.Route, Time: "0"}
	found := &junitFound{Type: string(r.Kind), Message: r.sentence()}
	switch r.State {
	case prove.Proved:
	case prove.Unprovable:
		c.Skipped = &junitFound{Type: string(r.State), Message: r.Note}
	case prove.Different:
		found.Text = r.evidence()
		c.Failure = found
	default:
		found.Text = r.evidence()
		c.Error = found
	}
	return c
}

// evidence is all of a row, for those who look closely.
func (r Row) evidence() string {
	text := "route:  " + r.Route + "\nrule:   " + r.Rule + "\nclause: " + r.Clause + "\nwant:   " + r.Want
	for _, more := range []struct{ name, value string }{
		{"got:    ", r.Got}, {"why:    ", r.Note}, {"refused by: ", string(r.RefusedBy)}, {"server: ", r.Look.Server},
	} {
		if more.value != "" {
			text += "\n" + more.name + more.value
		}
	}
	if r.File != "" {
		text += "\nat:     " + r.File + ":" + strconv.Itoa(r.Line)
	}
	return text
}
