package document_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct{ name, file, text, want string }{
		{"JSON", "a.json", `{"a":[1,-2.5e3,true,null,"x"],"b":{}}`, `{"a":[1,-2.5e3,true,null,"x"],"b":{}}`},
		{"JSON with tabs", "a", "{\n\t\"a\":\t[\n\t\t1\n\t]\n}", `{"a":[1]}`},
		{"rfc8259 s7: a surrogate pair", "a.json", `{"a":"\ud83d\ude00"}`, `{"a":"😀"}`},
		{"rfc8259 s8.1: a byte order mark", "a.json", "\ufeff{}", `{}`},
		{"YAML", "a.yaml", "a: 1\nb:\n  - x: true\n  - ~\n", `{"a":1,"b":[{"x":true},null]}`},
		{"YAML with a byte order mark", "a.yaml", "\ufeffa: 1\n", `{"a":1}`},
		{"YAML in flow style", "a.yaml", "{a: [b, 'c']}", `{"a":["b","c"]}`},
		{"JSON named YAML", "a.yaml", `{"a":"\ud83d\ude00"}`, `{"a":"😀"}`},
		{"names that are numbers", "a.yaml", "200: ok\n0x1F: y\ntrue: z\n", `{"200":"ok","0x1F":"y","true":"z"}`},
		{"numbers that JSON has not", "a.yaml", "[0x1F, .5, +1, .inf, .nan, 1_000]", `[31,0.5,1,".inf",".nan",1000]`},
		{"words that are no booleans", "a.yaml", "[yes, no, on, True, FALSE]", `["yes","no","on",true,false]`},
		{"dates are text", "a.yaml", "a: 2024-01-01", `{"a":"2024-01-01"}`},
		{"an alias", "a.yaml", "a: &x {b: 1}\nc: *x\n", `{"a":{"b":1},"c":{"b":1}}`},
		{"a merge", "a.yaml", "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n", `{"a":{"b":1,"c":2},"d":{"c":3,"b":1}}`},
		{"a merge of several, the first before the second", "a.yaml", "a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne:\n  <<: [*x, *y]\n", `{"a":{"b":1},"c":{"b":2,"d":3},"e":{"b":1,"d":3}}`},
		{"text on several lines", "a.yaml", "a: |\n  b\n  c\n", `{"a":"b\nc\n"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := document.Parse(tt.file, []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := n.JSON(1 << 20); err != nil || string(got) != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	deepAliases := "a0: &a0 " + strings.Repeat("[", 60) + strings.Repeat("]", 60) + "\n"
	deepAliases += "a1: &a1 " + strings.Repeat("[", 60) + "*a0" + strings.Repeat("]", 60) + "\n"
	merges := "a0: &a0 {"
	for i := range 1000 {
		merges += fmt.Sprintf("k%d: 1, ", i)
	}
	merges += "}\n"
	for i := range 3000 {
		merges += fmt.Sprintf("b%d: {<<: *a0}\n", i)
	}
	for _, tt := range []struct{ name, file, text, want string }{
		{"nothing", "a.yaml", " \n", "a.yaml: the file is empty"},
		{"only a comment", "a.yaml", "# nothing\n", "a.yaml: the file is empty"},
		{"another encoding", "a.yaml", "a: \xff", "a.yaml: not UTF-8"},
		{"JSON that ends", "a.json", "{\n  \"a\": [1,\n", "a.json:3:1: not JSON: the text ends too early"},
		{"JSON with a comma", "a.json", "{\n  \"a\": 1,\n}", "a.json:3:1: not JSON: "},
		{"JSON with a word", "a.json", "{\"a\": nul}", "a.json:1:7: not JSON: "},
		{"JSON with text behind", "a.json", "{}\n {}", "a.json:2:2: there is text after the JSON value"},
		{"JSON with a member twice", "a.json", "{\"a\": 1,\n \"a\": 2}", `a.json:2:2: the member "a" is there twice, first on line 1`},
		{"columns are characters", "a.json", `{"é": 1, "é": 2}`, `a.json:1:10: the member "é" is there twice`},
		{"JSON too deep", "a.json", strings.Repeat("[", 200), "nested more than 100 deep"},
		{"YAML with a member twice", "a.yaml", "a: 1\nb: 2\na: 3\n", `a.yaml:3:1: the member "a" is there twice, first on line 1`},
		{"YAML badly indented", "a.yaml", "a: 1\n  b: 2\n", "a.yaml:2:"},
		{"YAML too deep", "a.yaml", strings.Repeat("- ", 5000) + "a", "depth"},
		{"YAML too deep through aliases", "a.yaml", deepAliases, "nested more than 100 deep"},
		{"YAML too large through merges", "a.yaml", merges, "more than 2000000 values"},
		{"an alias in itself", "a.yaml", "a: &x [*x]\n", "a.yaml:1:8: the alias *x is part of what it stands for"},
		{"an alias of nothing", "a.yaml", "a: *x\n", "a.yaml:"},
		{"a list as a name", "a.yaml", "? [a]\n: b\n", "the name of a member is a list or a mapping"},
		{"a merge of a word", "a.yaml", "<<: a\n", "a.yaml:1:5: << takes a mapping, not a string"},
		{"a tag of CloudFormation", "a.yaml", "a: !Sub '${b}'\n", `a.yaml:1:4: the tag "!Sub" is for another program`},
		{"two documents", "a.yaml", "a: 1\n---\nb: 2\n", "a second document begins here"},
		{"too large", "a.yaml", strings.Repeat("#", document.MaxSize+1), "a.yaml: larger than 16 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := document.Parse(tt.file, []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) || n != nil {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// An alias that stands for two of an alias that stands for two … is short in memory and long as text.
func TestJSONIsBounded(t *testing.T) {
	text := "a0: &a0 [x]\n"
	for i := range 40 {
		text += fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	n, err := document.Parse("a.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Get("a40").JSON(1 << 10); err == nil || !strings.Contains(err.Error(), "a.yaml:41:6: the value is longer than 1024 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestPlaces(t *testing.T) {
	for name, text := range map[string]string{
		"a.yaml": "a:\n  b: 1\n  c:\n    - d: x\n",
		"a.json": "{\"a\":\n  {\"b\":\n1, \"c\": [\n    {  \"d\": \"x\"}]}}",
	} {
		n, err := document.Parse(name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		list := n.Get("a").Get("c")
		d := list.Items[0].Members[0]
		if got := fmt.Sprint(d.Place, d.Value.Place); (name == "a.yaml" && got != "a.yaml:4:7 a.yaml:4:10") || (name == "a.json" && got != "a.json:4:8 a.json:4:13") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if n := (*document.Node)(nil); n.Get("a").Get("b") != nil {
		t.Error("a member of nothing")
	}
}

// What a reader of secrets is told of a file it cannot read repeats nothing of it.
func TestErrorsRepeatNoValue(t *testing.T) {
	for _, text := range []string{
		"secret: hunter2\n  x: [hunter2", "a: \"hunter2", "a: !hunter2\n  - b\n c", "{\"a\": hunter2}", "hunter2: {", "*hunter2", "%hunter2\n---\n", "a: 'hunter2\n---\n", "&hunter2 *b",
	} {
		for _, name := range []string{"a.json", "a.yaml"} {
			if _, err := document.Parse(name, []byte(text)); err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
}

// FuzzParse holds the parser to its bounds, and YAML and JSON to each other: what is written as JSON is read as the same value by both.
func FuzzParse(f *testing.F) {
	seeds, err := filepath.Glob("../openapi/testdata/*.yaml")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range seeds {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"a":[1,2.5,true,null,"x\n\u00e9"],"b":{}}`))
	f.Add([]byte("a: &x [1, 0x1F, .inf, 2024-01-01]\nb: {<<: {c: *x}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := document.Parse("a", data)
		if err != nil {
			return
		}
		text, err := n.JSON(1 << 20)
		if err != nil {
			return
		}
		again, err := document.Parse("a.json", text)
		if err != nil {
			t.Fatalf("written and cannot be read: %v\n%s", err, text)
		}
		if second, err := again.JSON(1 << 20); err != nil || string(second) != string(text) {
			t.Fatalf("%v\n%s\n%s", err, text, second)
		}
	})
}

// A reader that reports every mistake at once gets the tree and all the members that are there twice.
func TestParseAllGoesOn(t *testing.T) {
	for name, text := range map[string]string{"a.yaml": "a: 1\na: [2]\nb: {c: 3, c: 4}\n", "a.json": "{\"a\": 1,\n\"a\": [2],\n\"b\": {\"c\": 3, \"c\": 4}}"} {
		n, twice, err := document.ParseAll(name, []byte(text))
		if err != nil || len(twice) != 2 {
			t.Fatalf("%s: %v, %v", name, twice, err)
		}
		if got, err := n.JSON(1 << 10); err != nil || string(got) != `{"a":1,"b":{"c":3}}` {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
}
