package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/countersign-dev/countersign/cmd/countersign/report"
)

// published is the schema as users find it.
const published = "../../../docs/report.schema.json"

func schemaOf(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(published)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func checkJSON(t *testing.T, schema *jsonschema.Schema, text string) {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(document); err != nil {
		t.Error(err)
	}
}

func TestSchemaAcceptsWhatIsWritten(t *testing.T) {
	schema := schemaOf(t)
	compared := small()
	compared.Compare(proved(), "local.json")
	for name, r := range map[string]report.Report{
		"small": small(), "proved": proved(), "layers": layered(), "compared": compared, "nothing": {At: time.Unix(0, 0)},
	} {
		t.Run(name, func(t *testing.T) { checkJSON(t, schema, written(t, r, "json")) })
	}
	var broken map[string]any
	if err := json.Unmarshal([]byte(written(t, small(), "json")), &broken); err != nil {
		t.Fatal(err)
	}
	broken["rows"].([]any)[0].(map[string]any)["state"] = "fine"
	if schema.Validate(broken) == nil {
		t.Error("the schema accepts a state that there is not: the check checks nothing")
	}
}

// Each member of the struct is in the schema and each of the schema's in the struct, and what is always written is required.
func TestSchemaAndStructAreOne(t *testing.T) {
	text, err := os.ReadFile(published)
	if err != nil {
		t.Fatal(err)
	}
	var root schemaNode
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	holdTogether(t, root, root, report.DocumentType, "report")
}

type schemaNode struct {
	Ref        string                `json:"$ref"`
	Defs       map[string]schemaNode `json:"$defs"`
	Properties map[string]schemaNode `json:"properties"`
	Required   []string              `json:"required"`
	Items      *schemaNode           `json:"items"`
}

func holdTogether(t *testing.T, root, node schemaNode, of reflect.Type, at string) {
	if name, found := strings.CutPrefix(node.Ref, "#/$defs/"); found {
		node = root.Defs[name]
	}
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of.Kind() == reflect.Slice {
		holdTogether(t, root, *node.Items, of.Elem(), at+"[]")
		return
	}
	if of.Kind() != reflect.Struct || of == reflect.TypeFor[time.Time]() {
		return
	}
	var names, required []string
	for _, field := range reflect.VisibleFields(of) {
		if field.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
		if !strings.HasPrefix(options, "omit") {
			required = append(required, name)
		}
		holdTogether(t, root, node.Properties[name], field.Type, at+"."+name)
	}
	slices.Sort(names)
	slices.Sort(required)
	if got := slices.Sorted(maps.Keys(node.Properties)); !slices.Equal(got, names) {
		t.Errorf("%s: the schema has %q and the struct %q", at, got, names)
	}
	if got := slices.Sorted(slices.Values(node.Required)); !slices.Equal(got, required) {
		t.Errorf("%s: the schema requires %q and the struct always writes %q", at, got, required)
	}
}

func TestReadWhatWasWritten(t *testing.T) {
	want := small()
	got, err := report.Read(strings.NewReader(written(t, want, "json")))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	compared := small()
	compared.Compare(proved(), "local.json")
	if got, err = report.Read(strings.NewReader(written(t, compared, "json"))); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("what a comparison added was read as the run's own: %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "<xml/>", "another tool's": `{"version":1,"tool":{"name":"x"}}`, "a later version": `{"version":2,"tool":{"name":"countersign"}}`,
		"no rows but a number": `{"version":1,"tool":{"name":"countersign"},"rows":3}`,
	} {
		path := filepath.Join(t.TempDir(), "r.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := report.ReadFile(path); err == nil || !strings.Contains(err.Error(), "r.json: it is no report") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := report.ReadFile(filepath.Join(t.TempDir(), "gone.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// Whatever is read can be written in every form.
func FuzzRead(f *testing.F) {
	var out bytes.Buffer
	if err := small().Write(&out, "json"); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte(`{"version":1,"tool":{"name":"countersign"},"rows":[{"route":"\u0000","state":"x","got":"9"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := report.Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		r.Compare(r, "itself")
		if r.Compared != nil && len(r.Compared.Differences) > len(r.Rows) {
			t.Errorf("%d differences of %d rows", len(r.Compared.Differences), len(r.Rows))
		}
		for _, format := range report.Formats {
			var out bytes.Buffer
			if err := r.Write(&out, format); err != nil && format != "json" { // a year that RFC 3339 does not have is json's alone
				t.Errorf("%s: %v", format, err)
			}
		}
	})
}
