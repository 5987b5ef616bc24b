// Package sariftest checks SARIF logs in tests: against the schema that OASIS publishes, and for what GitHub's code scanning asks
// beyond it. Start with [Check].
package sariftest

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Check fails the test if the log is not a valid one, and returns it as a library for SARIF reads it.
func Check(t *testing.T, log []byte) *sarif.Report {
	t.Helper()
	schema, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(document); err != nil {
		t.Fatal(err)
	}
	document.(map[string]any)["runs"].([]any)[0].(map[string]any)["columnKind"] = "furlongs"
	if schema.Validate(document) == nil {
		t.Error("the schema accepts what it cannot know: the check checks nothing")
	}
	var report sarif.Report
	if err := json.Unmarshal(log, &report); err != nil {
		t.Fatal(err)
	}
	for _, run := range report.Runs {
		checkRun(t, run)
	}
	return &report
}

// schema takes the schema from the source of a library for SARIF, which has it in a constant.
var schema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", reflect.TypeFor[sarif.Report]().PkgPath()).Output()
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(out)), "schema.go"), nil, 0)
	if err != nil {
		return nil, err
	}
	literal := file.Scope.Lookup("schema").Decl.(*ast.ValueSpec).Values[0].(*ast.BasicLit)
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return nil, err
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	const name = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, document); err != nil {
		return nil, err
	}
	return c.Compile(name)
})

// checkRun holds what the schema does not say, and GitHub's code scanning asks for.
func checkRun(t *testing.T, run *sarif.Run) {
	t.Helper()
	seen := map[string]bool{}
	for _, result := range run.Results {
		if rule := run.Tool.Driver.Rules[result.RuleIndex]; *rule.ID != *result.RuleID {
			t.Errorf("ruleIndex %d is %s, and ruleId %s", result.RuleIndex, *rule.ID, *result.RuleID)
		}
		if at := result.Locations[0].PhysicalLocation; at != nil {
			if uri, err := url.Parse(*at.ArtifactLocation.URI); err != nil || uri.IsAbs() || strings.HasPrefix(uri.Path, "/") {
				t.Errorf("the location %q is not in the repository", *at.ArtifactLocation.URI)
			}
			if *at.Region.StartLine < 1 {
				t.Errorf("line %d", *at.Region.StartLine)
			}
		}
		if len(result.PartialFingerprints) != 1 {
			t.Errorf("fingerprints %q, want one", result.PartialFingerprints)
		}
		for name, print := range result.PartialFingerprints {
			if !strings.Contains(name, "/v") || print == "" || seen[print] {
				t.Errorf("fingerprint %q of %q is missing or stands twice", print, name)
			}
			seen[print] = true
		}
	}
}
