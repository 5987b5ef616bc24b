package countersigntest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

// Matrix proves every route of the API: no token is 401, a token without the scope is 403, the right scope is admitted, and no bad
// token passes. Each case is a subtest, "GET /orders/{id}/401 no token"; what cannot be proved, such as the 403 of a rule that
// asks for no scope, is skipped with the reason. See package prove for the cases.
//
// The API is a [countersign.Mux] of a guard that [Issuer.Guard] made, or a handler around one: then the routes are those of all guards
// of this test. A request that must be admitted really runs its handler, with "1" for each parameter of the
// path ([Values] gives others) and {} for a body; what the handler answers is its own business as long as it is not
// 401, 403, 404, 405 or its own failure.
func Matrix(t *testing.T, api http.Handler) {
	t.Helper()
	Values(nil).Matrix(t, api)
}

// Values are values for the parameters of paths, by name, for handlers that know only some:
//
//	countersigntest.Values{"id": "order-7"}.Matrix(t, api)
type Values map[string]string

// Matrix is [Matrix] with these values.
func (v Values) Matrix(t *testing.T, api http.Handler) {
	t.Helper()
	matrix(t, api, v, nil)
}

// Examples say what the requests of single routes are made of, by pattern: values for the parameters of that route alone, a query, header fields, a body.
//
//	countersigntest.Examples{
//		"GET /orders/{id}": {Values: map[string]string{"id": "order-7"}},
//		"GET /users/{id}":  {Values: map[string]string{"id": "user-3"}},
//		"POST /orders":     {Body: []byte(`{"article":"tea"}`), Header: http.Header{"X-Tenant": {"test"}}},
//	}.Matrix(t, api)
//
// A route that has none is asked as by [Matrix].
type Examples map[string]prove.Example

// Matrix is [Matrix] with these examples.
func (e Examples) Matrix(t *testing.T, api http.Handler) {
	t.Helper()
	matrix(t, api, nil, e)
}

func matrix(t *testing.T, api http.Handler, values Values, examples Examples) {
	t.Helper()
	all, problem := policiesOf(t, api)
	if problem == "" {
		problem = examples.misspelt(all)
	}
	if problem != "" {
		t.Fatalf("countersigntest: Matrix: %s", problem)
	}
	for _, g := range all {
		report, err := g.issuer.prove(t.Context(), g.policy, api, values, examples)
		if err != nil {
			t.Fatalf("countersigntest: Matrix: %v", err)
		}
		show(t, report)
		// A matrix of which nothing could be run must not look like one that passed.
		if report.Count(prove.Proved)+report.Count(prove.Different) == 0 {
			t.Errorf("countersigntest: Matrix: nothing was proved: %s", report.Summary())
		}
	}
}

// misspelt says which example is of no route: it would be used by none, and nobody would see it.
func (e Examples) misspelt(all []guarded) string {
	var patterns []string
	for _, g := range all {
		for _, route := range g.policy.Routes {
			patterns = append(patterns, route.Pattern)
		}
	}
	for _, pattern := range slices.Sorted(maps.Keys(e)) {
		if !slices.Contains(patterns, pattern) {
			return fmt.Sprintf("Examples has %q, and no route has this pattern; the routes are %q", pattern, patterns)
		}
	}
	return ""
}

// prove runs the cases one after the other: a handler under test may have a fake behind it that is not made for more.
func (i *Issuer) prove(ctx context.Context, p countersign.Policy, api http.Handler, values Values, examples Examples) (prove.Report, error) {
	_, key, err := i.service.SigningKey(i.pool)
	if err != nil {
		return prove.Report{}, err
	}
	i.log.silent.Add(1)
	defer i.log.silent.Add(-1)
	return prove.Run(ctx, prove.Config{
		Policy:      p,
		Target:      prove.Handler(api),
		Tokens:      &tokens{i, p},
		Signer:      key,
		Values:      values,
		Examples:    examples,
		Concurrency: 1,
	})
}

// show makes a subtest of each row.
func show(t *testing.T, report prove.Report) {
	rows := report.Rows
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].Route == rows[0].Route && rows[n].Rule == rows[0].Rule {
			n++
		}
		route := rows[:n]
		rows = rows[n:]
		t.Run(route[0].Route, func(t *testing.T) {
			for _, row := range route {
				t.Run(row.Case, func(t *testing.T) { verdict(t, row) })
			}
		})
	}
}

func verdict(t *testing.T, row prove.Row) {
	switch row.State {
	case prove.Proved:
	case prove.Unprovable:
		t.Skip(row.Note)
	case prove.NotRun:
		t.Errorf("could not run: %s\n%s: the rule is %s", row.Note, row.Source, row.Rule)
	default:
		t.Errorf("want %s, got %s: %s\n%s: the rule is %s\n%s%s", row.Want, row.Got, row.Note, row.Source, row.Rule, row.Clause, advice(row))
	}
}

// advice is how to name a value that exists, where the handler may have told the right caller that its own does not.
func advice(row prove.Row) string {
	_, name, wild := strings.Cut(row.Route, "{")
	name, _, _ = strings.Cut(name, "}")
	name = strings.TrimSuffix(name, "...")
	if row.Kind != prove.KindAllowed || row.Got != "404" || !wild || name == "$" {
		return ""
	}
	return fmt.Sprintf("\nif the handler does not know %s 1, name one that it knows:\n\tcountersigntest.Examples{%q: {Values: map[string]string{%q: \"…\"}}}.Matrix(t, api)", name, row.Route, name)
}

// tokens mints for the matrix: the issuer makes whatever client it takes.
type tokens struct {
	issuer *Issuer
	policy countersign.Policy
}

// otherScope is a scope of the resource that no rule asks for, so that there is a wrong one even if the policy knows only one.
const otherScope = "countersigntest.other"

// Grants is one client that may have every scope.
func (k *tokens) Grants() [][]string {
	all := []string{k.policy.FullScope(otherScope)}
	for _, route := range k.policy.Routes {
		for _, scopes := range route.Rule.Alternatives() {
			for _, name := range scopes {
				if full := k.policy.FullScope(name); !slices.Contains(all, full) {
					all = append(all, full)
				}
			}
		}
	}
	return [][]string{all}
}

// Token asks with a client for each scope set: Cognito allows fifty scopes for one.
func (k *tokens) Token(ctx context.Context, scopes []string) (string, error) {
	if len(scopes) == 0 {
		scopes = []string{k.policy.FullScope(otherScope)}
	}
	return k.issuer.token(ctx, "matrix", scopes)
}
