package config_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("countersign.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("countersign.schema.json") // and validates it against the meta-schema that it names
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, path string) error {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := yaml.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

func TestTheSchemaAcceptsGoodFiles(t *testing.T) {
	schema := compiled(t)
	for _, path := range append(files(t, "*.good.*"), "../../../examples/demo/countersign.yaml") {
		if err := validate(t, schema, path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// What is wrong with one member by itself is seen in the editor already.
func TestTheSchemaRefusesBadFiles(t *testing.T) {
	schema := compiled(t)
	for _, name := range []string{"unknown", "missing", "kind", "range", "format", "overlay", "overlays", "text"} {
		if validate(t, schema, "testdata/"+name+".bad.yaml") == nil {
			t.Errorf("%s.bad.yaml: nothing is said", name)
		}
	}
}

func TestTagsSayWhatTheLoaderDoes(t *testing.T) {
	for _, problem := range config.TagProblems() {
		t.Error(problem)
	}
}

// The table of the page is made of the same tags.
func TestThePageHasTheTable(t *testing.T) {
	const page, begin, end = "../../../docs/config.md", "<!-- members: go test ./cmd/countersign/config -update -->\n", "<!-- end of members -->\n"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	_, after, foundEnd := strings.Cut(rest, end)
	if !found || !foundEnd {
		t.Fatalf("%s lacks the marks of the table", page)
	}
	want := before + begin + config.Table() + end + after
	if want == string(data) {
		return
	}
	if !*update {
		t.Errorf("the table in docs/config.md is not that of the struct; run: go test ./cmd/countersign/config -update")
		return
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
