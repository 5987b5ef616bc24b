package scaffold

import (
	"embed"
	"fmt"
	"strings"
	"text/template"

	"github.com/countersign-dev/countersign"
)

//go:embed template/*.tmpl
var templateFiles embed.FS

var templates = template.Must(template.New("").Delims("<<", ">>").ParseFS(templateFiles, "template/*.tmpl"))

// templateData is what the templates know.
type templateData struct {
	Package  string
	Module   string
	Resource string
	Library  string
	Policy   string
	Function string // that makes the API of a guard
	Example  bool   // the service is the one of api.go.tmpl
}

// render fills a template in. The templates are this package's own, and a test renders each.
func render(name string, data any) string {
	var out strings.Builder
	if err := templates.ExecuteTemplate(&out, name, data); err != nil {
		panic(fmt.Sprintf("scaffold: %v", err))
	}
	return out.String()
}

// examplePolicy is the policy of api.go.tmpl, as Golden would write it.
func examplePolicy(resource string) ([]byte, error) {
	route := func(pattern string, rule countersign.Rule) countersign.Route {
		return countersign.Route{Pattern: pattern, Rule: rule}
	}
	document, err := countersign.Policy{
		Resource: resource,
		Profile:  countersign.Cognito,
		Routes: []countersign.Route{
			route("GET /items/{id}", countersign.Scope("items.read")),
			route("POST /items", countersign.Scope("items.write")),
			route("GET /healthz", countersign.Public("liveness probe")),
		},
	}.OpenAPI()
	if err != nil {
		return nil, fmt.Errorf("scaffold: %w", err)
	}
	return document, nil
}

// Job is the CI job for GitHub or GitLab, as [Plan.Write] writes it.
func Job(ci string) string {
	return render(ci+".yml.tmpl", templateData{Library: Library, Policy: policyFile})
}
