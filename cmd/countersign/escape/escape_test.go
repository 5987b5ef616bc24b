package escape_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/countersign-dev/countersign/cmd/countersign/escape"
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

// A command is one line, whatever is in it: that begins no second one and changes no property.
func FuzzCommand(f *testing.F) {
	f.Add("GET /a", "orders.read", "api.go")
	f.Add("::set-output name=x::y", "a\n::error::b", "a,line=2::x")
	f.Add("%0A::stop-commands::x", "\r\n::add-mask::y", "50%25")
	f.Add("\x1b[2J", "\u202e", "a b/c:d.go")
	f.Fuzz(func(t *testing.T, route, who, file string) {
		c := escape.Command{Name: "warning", File: file, Line: 3, Title: route, Text: who}
		line, rest, _ := strings.Cut(c.String(), "\n")
		if rest != "" || strings.ContainsRune(line, '\r') {
			t.Fatalf("more than one line: %q", c)
		}
		name, properties, text, ok := unescapeCommand(line)
		if !ok || name != "warning" || file != "" && (len(properties) != 3 || properties["line"] != "3") || file != "" && properties["file"] != escape.Visible(file) || properties["title"] != escape.Visible(route) {
			t.Errorf("read back as %q %q", name, properties)
		}
		if escape.Visible(strings.ReplaceAll(text, "\n", "")) != escape.Visible(strings.ReplaceAll(who, "\n", "")) && utf8.ValidString(who) {
			t.Errorf("the text is %q, want %q", text, who)
		}
	})
}

// A code span stays one, and stays in its cell of the table.
func FuzzCode(f *testing.F) {
	for _, seed := range []string{"", " ", "`", "``a`", "a|b", `a\|b`, "@everyone", "<img src=x>", "a\nb", "\\`", "a`"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := escape.Code(s)
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
		got := escape.Visible(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, escape.Hidden) {
			t.Errorf("%q hides something", got)
		}
	})
}

func TestPath(t *testing.T) {
	for _, path := range []string{"api.go", "a b/c%.go", "a:b/c.go", "a:b.go", "ä/?#.json"} {
		u, err := url.Parse(escape.Path(path))
		if err != nil || u.IsAbs() || strings.TrimPrefix(u.Path, "./") != path {
			t.Errorf("%q is written as %q and read as %q", path, escape.Path(path), u)
		}
	}
}
