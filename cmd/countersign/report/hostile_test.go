package report_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/countersign-dev/countersign/cmd/countersign/report"
	"github.com/countersign-dev/countersign/cmd/countersign/sarif/sariftest"
	"github.com/countersign-dev/countersign/prove"
)

const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzZWNyZXQifQ.c2lnbmF0dXJl"

// hostile is text that means something to one of the forms.
var hostile = []string{
	"\x00\x01\x08\x0b\x0c\x1b[2J\x7f", "\u0085\u009b31m\u2028\u2029\ufeff\ufffe\uffff", "\xff\xfe\xed\xa0\x80", "a\u202eb\u200bc",
	"]]>", "<![CDATA[", "<!--", "-->", "<?xml?>", "&amp;&#0;&x;", `"><script>alert(1)</script>`, `' onload='x`, "</style></title>", "{{.Version}}",
	"%0A::error::x", "\n::set-output name=a::b", "\r\n::stop-commands::x", ",line=9::x", "%25", "::",
	"| a | b |", "`` ` ```", "@everyone", "[a](https://evil.example)", "![a](b)", "](", "\n# heading", "\\", "{0}{1}", "javascript:alert(1)", token, "Bearer " + token,
}

// filled is the small report with the text in every field that came from elsewhere.
func filled(text string) report.Report {
	p := prove.Report{Target: "https://api.example.com" + text, Tokens: 3}
	for _, row := range rows() {
		v := reflect.ValueOf(&row).Elem()
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name == "State" || name == "Kind" { // prove's own words, which count
				continue
			}
			fill(v.Field(i), text)
		}
		p.Rows = append(p.Rows, row)
	}
	cfg := config
	cfg.Policy += text
	earlier := p
	earlier.Rows = append([]prove.Row{}, p.Rows[1:]...) // one came since, and of two the outcome was another one
	earlier.Rows[0].State, earlier.Rows[1].State = prove.Different, prove.Unprovable
	r := report.New(cfg, p)
	r.Compare(report.New(cfg, earlier), "local.json"+text)
	return r
}

func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + text)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), text)
		}
	default:
		panic("a field of another kind: say here how it is filled")
	}
}

// Nothing breaks out: with hostile text in every field each form has the shape that it has with a harmless word, hides nothing and
// has no token in it.
func TestHostileText(t *testing.T) {
	texts := append([]string{}, hostile...)
	random := rand.New(rand.NewPCG(1, 2))
	for range 12 {
		text := ""
		for range 1 + random.IntN(6) {
			text += hostile[random.IntN(len(hostile))]
		}
		texts = append(texts, text)
	}
	want := map[string]string{}
	schema := schemaOf(t)
	for i, text := range append([]string{"harmless"}, texts...) {
		r := filled(text)
		for _, format := range report.Formats {
			out := written(t, r, format)
			checkText(t, format, out)
			shape := ""
			switch format {
			case "json":
				checkJSON(t, schema, out)
			case "junit":
				shape = checkJUnit(t, out)
			case "sarif":
				sariftest.Check(t, []byte(out))
			case "github":
				shape = commands(t, out)
			case "markdown":
				shape = cells(t, out)
			case "html":
				shape = elements(t, out)
			}
			if i == 0 {
				want[format] = shape
			} else if shape != want[format] {
				t.Errorf("%s: %q changed the shape to %s, want %s", format, text, shape, want[format])
			}
		}
	}
}

// The words of a state and a kind are prove's, but a report that was read from a file may have any.
func TestHostileStates(t *testing.T) {
	for _, text := range hostile {
		p := prove.Report{Rows: rows()}
		for i := range p.Rows {
			p.Rows[i].State, p.Rows[i].Kind = prove.State(text), prove.Kind(text)
		}
		r := report.New(config, p)
		for _, format := range report.Formats {
			checkText(t, format, written(t, r, format))
		}
		elements(t, written(t, r, "html"))
		cells(t, written(t, r, "markdown"))
		commands(t, written(t, r, "github"))
	}
}

// checkText holds what goes for every form.
func checkText(t *testing.T, format, out string) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Errorf("%s is not UTF-8", format)
	}
	for _, c := range out {
		if c != '\n' && !unicode.IsPrint(c) {
			t.Errorf("%s has the hidden character %U", format, c)
			break
		}
	}
	if strings.Contains(out, "eyJ") || strings.Contains(out, "c2lnbmF0dXJl") {
		t.Errorf("%s has a token in it", format)
	}
}

var command = regexp.MustCompile(`^::(error|warning) file=[^:,\n]+,line=\d+,title=[^:,\n]+::(.*)$`)

// commands reads workflow commands as GitHub's runner does: a line that begins with :: is one.
func commands(t *testing.T, out string) (shape string) {
	t.Helper()
	for line := range strings.Lines(out) {
		m := command.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			t.Errorf("no command: %q", line)
			continue
		}
		if regexp.MustCompile(`%([^02]|2[^5]|0[^AD]|$)`).MatchString(m[2]) {
			t.Errorf("a percent sign that is no escape: %q", m[2])
		}
		shape += m[1] + strings.Repeat("+", strings.Count(m[2], "%0A")) + " " // with its lines
	}
	return shape
}

// cells are the lines of the Markdown without what stands in code spans: there a reader finds nothing that came from elsewhere.
func cells(t *testing.T, out string) (shape string) {
	t.Helper()
	for line := range strings.Lines(out) {
		rest := strings.TrimSuffix(line, "\n")
		for {
			start := strings.IndexByte(rest, '`')
			if start < 0 {
				shape += rest + "\n"
				break
			}
			shape += rest[:start] + "CODE"
			fence := rest[start : start+len(rest[start:])-len(strings.TrimLeft(rest[start:], "`"))]
			inner := rest[start+len(fence):]
			end := closing(inner, fence)
			if end < 0 {
				t.Fatalf("a code span without an end: %q", line)
			}
			if strings.Contains(strings.ReplaceAll(inner[:end], `\|`, ""), "|") && strings.HasPrefix(line, "|") {
				t.Errorf("a cell ends in the middle: %q", line)
			}
			rest = inner[end+len(fence):]
		}
	}
	return regexp.MustCompile(`\d+ \w+`).ReplaceAllString(shape, "N")
}

// closing finds the run of backticks that is as long as the fence (CommonMark 0.31, Section 6.1).
func closing(s, fence string) int {
	for i := 0; i < len(s); {
		if s[i] != '`' {
			i++
			continue
		}
		run := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		if run == len(fence) {
			return i
		}
		i += run
	}
	return -1
}

// elements are the page's elements with the names of their attributes; the page is well-formed XML too. No address of it leads anywhere else.
func elements(t *testing.T, out string) (shape string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(strings.Replace(out, "<!doctype html>", "", 1)))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return shape
		}
		if err != nil {
			t.Fatalf("%v in:\n%s", err, out)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			shape += "<" + tok.Name.Local
			for _, attribute := range tok.Attr {
				shape += " " + attribute.Name.Local
				address := attribute.Name.Local == "href" || attribute.Name.Local == "src"
				if address && !strings.HasPrefix(attribute.Value, "#") && !strings.HasPrefix(attribute.Value, "data:image/svg+xml,") {
					t.Errorf("<%s> leads to %s", tok.Name.Local, attribute.Value)
				}
				if strings.HasPrefix(attribute.Name.Local, "on") || attribute.Name.Local == "style" {
					t.Errorf("<%s> has %s", tok.Name.Local, attribute.Name.Local)
				}
			}
			if tok.Name.Local == "script" {
				t.Error("the page has a script")
			}
			shape += ">"
		case xml.EndElement:
			shape += "</>"
		case xml.Comment:
			t.Error("the page has a comment")
		}
	}
}

// The table of a terminal is prove's; what it is given has gone through the same sieve.
func TestHostileTable(t *testing.T) {
	for _, text := range hostile {
		var out strings.Builder
		if err := (prove.Table{All: true}).Write(&out, filled(text).Proof()); err != nil {
			t.Fatal(err)
		}
		checkText(t, "table", out.String())
	}
}

// A summary that is too long for GitHub is not shown at all.
func TestMarkdownIsBounded(t *testing.T) {
	var p prove.Report
	for i := range 5000 {
		p.Rows = append(p.Rows, prove.Row{Route: fmt.Sprint("GET /", i), State: prove.Different, Note: strings.Repeat("x", 300)})
	}
	out := written(t, report.New(config, p), "markdown")
	if len(out) > 1<<20 || !strings.Contains(out, "lines more than fit here") {
		t.Errorf("%d bytes", len(out))
	}
}
