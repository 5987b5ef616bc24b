package openapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/openapi"
)

const head = "openapi: 3.1.0\ncomponents:\n  securitySchemes: {t: {type: openIdConnect}}\n"

// lines repeats a line with a number in it.
func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// TestBounds reads documents that are small as text and large as what they say: each is refused, or read, in time.
func TestBounds(t *testing.T) {
	for _, tt := range []struct{ name, doc, want string }{
		{"operations", head + "security: [{t: [a]}]\npaths:\n" + lines(10_001, "  /p%d: {get: {}}\n"), "more than 10000 operations"},
		{"alternatives", head + "security: [" + lines(65, "{t: [a%d]},") + "]\npaths: {/a: {get: {}}}\n", "more than 64 alternatives"},
		{"scopes", head + "security: [{t: [" + lines(101, "a%d,") + "]}]\npaths: {/a: {get: {}}}\n", "more than 100 scopes; no token has so many"},
		{"parameters", head + "security: [{t: [a]}]\npaths: {/a: {parameters: [" + lines(501, "{name: p%d, in: query},") + "], get: {}}}\n", "more than 500 parameters"},
		{"a path item that many paths share", head + "  pathItems:\n    p:\n" + lines(20_000, "      x-%d: 1\n") + "      get: {}\nsecurity: [{t: [a]}]\npaths:\n" +
			lines(5_000, "  /p%d: {$ref: '#/components/pathItems/p'}\n"), "refers to large objects too often"},
		{"a schema that many bodies share", head + "  schemas:\n    S:\n      type: object\n      required: [" + lines(2_000, "a%d,") + "]\n      properties:\n" + lines(2_000, "        a%d: {}\n") +
			"security: [{t: [a]}]\npaths:\n" + lines(2_000, "  /p%d: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}}}\n"), "refers to large objects too often"},
		{"schemas in each other", head + "  schemas:\n" + lines(500, "    S%d: {allOf: ["+strings.TrimSuffix(lines(40, "{$ref: '#/components/schemas/S%d'},"), ",")+"]}\n") +
			"security: [{t: [a]}]\npaths:\n" + lines(1_000, "  /p%d: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/S1'}}}}}}\n"), ""},
		{"patterns", head + "security: [{t: [a]}]\npaths:\n" + lines(5_000, "  /p%[1]d/{a}: {parameters: [{name: a, in: path, schema: {pattern: '^((((a{9}){9}){9}b?)c?)%[1]dd*$', minLength: 4000}}], get: {}}\n"), ""},
		{"bodies", head + "  examples: {e: {value: " + strings.Repeat("x", 60_000) + "}}\nsecurity: [{t: [a]}]\npaths:\n" +
			lines(1_000, "  /p%d: {post: {requestBody: {content: {application/json: {examples: {e: {$ref: '#/components/examples/e'}}}}}}}\n"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			d, err := openapi.Read("a.yaml", []byte(tt.doc), nil, openapi.Config{})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %.300v, want %q", err, tt.want)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
			if d == nil {
				return
			}
			size := 0
			for _, op := range d.Operations {
				size += len(op.Example.Body)
			}
			if size > 16<<20 {
				t.Errorf("%d bytes of bodies", size)
			}
		})
	}
}

func TestProblemsAreBounded(t *testing.T) {
	_, err := openapi.Read("a.yaml", []byte(head+"security: [{t: [a]}]\npaths:\n"+lines(200, "  /p%d: {gett: {}}\n")), nil, openapi.Config{})
	if err == nil || strings.Count(err.Error(), "\n") != 50 || !strings.HasSuffix(err.Error(), "and more: only the first 50 problems are listed") {
		t.Errorf("got %v", err)
	}
}
