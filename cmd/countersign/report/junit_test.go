package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// grammar is what the schema of Jenkins' xUnit plug-in, junit-10.xsd, allows of each element: its children, and its attributes with those that
// are required first, up to the bar. No registry package ships the file, so it is written out here.
var grammar = map[string]struct{ children, attributes []string }{
	"":           {[]string{"testsuites"}, []string{"|"}},
	"testsuites": {[]string{"testsuite"}, []string{"|", "name", "time", "tests", "failures", "errors"}},
	"testsuite": {[]string{"testsuite", "properties", "testcase", "system-out", "system-err"},
		[]string{"name", "tests", "failures", "errors", "|", "group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"}},
	"properties": {[]string{"property"}, []string{"|"}},
	"property":   {nil, []string{"name", "value", "|"}},
	"testcase":   {[]string{"skipped", "error", "failure", "system-out", "system-err"}, []string{"name", "|", "time", "classname", "group"}},
	"skipped":    {nil, []string{"|", "type", "message"}},
	"error":      {nil, []string{"|", "type", "message"}},
	"failure":    {nil, []string{"|", "type", "message"}},
}

// checkJUnit reads the text as a strict parser does, and returns its elements and their names, without their texts.
func checkJUnit(t *testing.T, text string) (shape string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	stack := []string{""}
	counts := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in:\n%s", err, text)
		}
		switch token := token.(type) {
		case xml.StartElement:
			checkElement(t, stack[len(stack)-1], token)
			stack = append(stack, token.Name.Local)
			counts[token.Name.Local]++
			shape += "<" + token.Name.Local
		case xml.EndElement:
			stack = stack[:len(stack)-1]
			shape += ">"
		case xml.CharData:
			in := stack[len(stack)-1]
			if in != "failure" && in != "error" && in != "skipped" && strings.TrimSpace(string(token)) != "" {
				t.Errorf("%s has the text %q", in, token)
			}
		case xml.Comment, xml.Directive:
			t.Errorf("the file has %q", token)
		}
	}
	for element, attribute := range map[string]string{"testcase": "tests", "failure": "failures", "error": "errors"} {
		root := regexp.MustCompile(`<testsuites [^>]*`).FindString(text)
		if want := attribute + `="` + strconv.Itoa(counts[element]) + `"`; !strings.Contains(root, want) {
			t.Errorf("%s has not %s", root, want)
		}
	}
	return shape
}

func checkElement(t *testing.T, parent string, element xml.StartElement) {
	t.Helper()
	if !slices.Contains(grammar[parent].children, element.Name.Local) {
		t.Errorf("<%s> in <%s>", element.Name.Local, parent)
	}
	attributes := grammar[element.Name.Local].attributes
	bar := slices.Index(attributes, "|")
	var names []string
	for _, attribute := range element.Attr {
		names = append(names, attribute.Name.Local)
		if attribute.Name.Local == "|" || !slices.Contains(attributes, attribute.Name.Local) {
			t.Errorf("<%s> has the attribute %s", element.Name.Local, attribute.Name.Local)
		}
	}
	for _, required := range attributes[:bar] {
		if !slices.Contains(names, required) {
			t.Errorf("<%s> lacks the attribute %s", element.Name.Local, required)
		}
	}
}

func TestJUnit(t *testing.T) {
	compared := small()
	compared.Compare(proved(), "local.json")
	checkJUnit(t, written(t, small(), "junit"))
	checkJUnit(t, written(t, layered(), "junit"))
	checkJUnit(t, written(t, compared, "junit"))
}

// GitLab takes the first of two test cases with one name, and leaves out the other.
func TestJUnitNamesAreUnique(t *testing.T) {
	var suites struct {
		Cases []struct {
			Class string `xml:"classname,attr"`
			Name  string `xml:"name,attr"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal([]byte(written(t, layered(), "junit")), &suites); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range suites.Cases {
		if seen[c.Class+"\x00"+c.Name] {
			t.Errorf("%s / %s stands twice", c.Class, c.Name)
		}
		seen[c.Class+"\x00"+c.Name] = true
	}
}
