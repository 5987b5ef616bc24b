package review

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// unescapeCommand reads a workflow command as GitHub's runner does: one line, "::name key=value,key=value::text".
func unescapeCommand(line string) (name string, properties map[string]string, text string, ok bool) {
	rest, ok := strings.CutPrefix(line, "::")
	if !ok {
		return "", nil, "", false
	}
	head, text, ok := strings.Cut(rest, "::")
	if !ok {
		return "", nil, "", false
	}
	name, list, _ := strings.Cut(head, " ")
	properties = map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		key, value, _ := strings.Cut(pair, "=")
		properties[key] = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%").Replace(value)
	}
	return name, properties, strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(text), true
}

// Each change is one command, whatever the policy file says: what is in it begins no second one and changes no property.
func FuzzAnnotation(f *testing.F) {
	f.Add("GET /a", "orders.read", "api.go")
	f.Add("::set-output name=x::y", "a\n::error::b", "a,line=2::x")
	f.Add("%0A::stop-commands::x", "\r\n::add-mask::y", "50%25")
	f.Add("\x1b[2J", "\u202e", "a b/c:d.go")
	f.Fuzz(func(t *testing.T, route, who, file string) {
		r := Report{Changes: []Change{{Class: Widened, Route: visible(route), New: visible(who), Old: "x", File: file, Line: 3, Widened: true}}}
		var out bytes.Buffer
		if err := r.github(&out); err != nil {
			t.Fatal(err)
		}
		line, rest, _ := strings.Cut(out.String(), "\n")
		if rest != "" || strings.ContainsRune(line, '\r') {
			t.Fatalf("more than one line: %q", out.String())
		}
		name, properties, text, ok := unescapeCommand(line)
		if !ok || name != "warning" || len(properties) != 3 || properties["line"] != "3" || properties["file"] != visible(file) {
			t.Errorf("read back as %q %q", name, properties)
		}
		if want := r.Changes[0].Route + " " + r.Changes[0].sentence(); text != want {
			t.Errorf("the text is %q, want %q", text, want)
		}
	})
}

// A code span stays one, and stays in its cell of the table.
func FuzzCode(f *testing.F) {
	for _, seed := range []string{"", " ", "`", "``a`", "a|b", `a\|b`, "@everyone", "<img src=x>", "a\nb", "\\`", "a`"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := code(s)
		fence := got[:len(got)-len(strings.TrimLeft(got, "`"))]
		if fence == "" || !strings.HasSuffix(got, fence) || len(got) < 2*len(fence) {
			t.Fatalf("%q is no code span", got)
		}
		inner := got[len(fence) : len(got)-len(fence)]
		for _, run := range strings.FieldsFunc(inner, func(c rune) bool { return c != '`' }) {
			if run == fence {
				t.Errorf("%q ends early", got)
			}
		}
		if strings.Contains(strings.ReplaceAll(inner, `\|`, ""), "|") || strings.ContainsAny(inner, "\n\r") {
			t.Errorf("%q leaves its cell", got)
		}
	})
}

func FuzzVisible(f *testing.F) {
	f.Add("GET /a")
	f.Add("\x1b]0;x\a\u202e\u200b\xff\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		got := visible(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, hidden) {
			t.Errorf("%q hides something", got)
		}
	})
}

func TestArtifactURI(t *testing.T) {
	for _, path := range []string{"api.go", "a b/c%.go", "a:b/c.go", "a:b.go", "ä/?#.json"} {
		u, err := url.Parse(artifactURI(path))
		if err != nil || u.IsAbs() || strings.TrimPrefix(u.Path, "./") != path {
			t.Errorf("%q is written as %q and read as %q", path, artifactURI(path), u)
		}
	}
}
