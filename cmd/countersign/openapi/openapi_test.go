package openapi_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/openapi"
	"github.com/countersign-dev/countersign/prove"
)

var update = flag.Bool("update", false, "write the .want files anew")

// files are those of testdata that match, and at least so many.
func files(t testing.TB, pattern string, least int) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) < least {
		t.Fatalf("%d files match %s, %v", len(names), pattern, err)
	}
	return names
}

// describe writes everything that was read of a document.
func describe(d *openapi.Document) string {
	var b strings.Builder
	fmt.Fprintf(&b, "base %q, hosts %q\n", d.Base, d.Hosts)
	for _, op := range d.Operations {
		fmt.Fprintf(&b, "\n%s (%s)\n", op.Name(), op.Route.Source)
		if op.NotJudged != "" {
			fmt.Fprintf(&b, "  not judged: %s\n", op.NotJudged)
			continue
		}
		fmt.Fprintf(&b, "  %s\n  %s\n", op.Route.Pattern, op.Route.Rule)
		for _, name := range slices.Sorted(maps.Keys(op.Example.Values)) {
			fmt.Fprintf(&b, "  {%s} is %q\n", name, op.Example.Values[name])
		}
		if op.Example.Made {
			b.WriteString("  values are made up\n")
		}
		if op.Example.Query != "" {
			fmt.Fprintf(&b, "  ?%s\n", op.Example.Query)
		}
		for _, name := range slices.Sorted(maps.Keys(op.Example.Header)) {
			fmt.Fprintf(&b, "  %s: %s\n", name, op.Example.Header.Get(name))
		}
		if op.Example.ContentType != "" {
			fmt.Fprintf(&b, "  %s: %s\n", op.Example.ContentType, op.Example.Body)
		}
		if len(op.Example.Success) > 0 {
			fmt.Fprintf(&b, "  succeeds with %s\n", strings.Join(op.Example.Success, ", "))
		}
	}
	for _, note := range d.Notes {
		fmt.Fprintf(&b, "\nnote: %s\n", filepath.ToSlash(note.String()))
	}
	return b.String()
}

// TestGood compares what is read of each good document with what a person found right.
func TestGood(t *testing.T) {
	for _, file := range files(t, "*.good.*", 4) {
		if strings.HasSuffix(file, ".want") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			d, err := openapi.ReadFile(file, openapi.Config{})
			if err != nil {
				t.Fatal(err)
			}
			got := describe(d)
			want := file + ".want"
			if *update {
				if err := os.WriteFile(want, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(text) {
				t.Errorf("got\n%s\nwant\n%s", got, text)
			}
			if _, err := d.Policy().OpenAPI(); err != nil {
				t.Errorf("the policy cannot be written: %v", err)
			}
		})
	}
}

// TestBad reads documents whose first comment line is the error that they deserve.
func TestBad(t *testing.T) {
	for _, file := range files(t, "*.bad.yaml", 30) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			line, _, _ := bytes.Cut(data, []byte("\n"))
			want, ok := strings.CutPrefix(string(line), "# ")
			if !ok {
				t.Fatal("the first line is no comment")
			}
			d, err := openapi.ReadFile(file, openapi.Config{})
			if err == nil {
				t.Fatalf("read, and should be: %s\n%s", want, describe(d))
			}
			if d != nil {
				t.Error("an error and a document")
			}
			if !strings.Contains(filepath.ToSlash(err.Error()), "testdata/"+want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestEveryProblemIsReported(t *testing.T) {
	_, err := openapi.Read("a.yaml", []byte("openapi: 3.1.0\npaths:\n  a: {}\n  /b: {gett: {}}\n  /c: {get: {security: [{x: []}]}}\n"), nil, openapi.Config{})
	for _, want := range []string{"a.yaml:3:3: ", "a.yaml:4:8: ", "a.yaml:5:26: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}

func TestServers(t *testing.T) {
	const doc = `openapi: 3.1.0
servers: [{url: 'https://a.example.com/v1/'}, {url: 'http://localhost:8080'}, {url: 'https://{x}.example.com/v3', variables: {x: {default: c}}}]
components: {securitySchemes: {t: {type: openIdConnect}}}
security: [{t: [a]}]
paths:
  /orders: {get: {}}
  /files: {servers: [{url: 'https://files.example.com/f'}], get: {}}
`
	for _, tt := range []struct {
		name, target, server string
		want                 []string // patterns, or why not
	}{
		{"the first", "", "", []string{"GET /v1/orders", "is served by https://files.example.com/f: prove that address on its own"}},
		{"that of the target", "http://LOCALHOST:8080", "", []string{"GET /orders", "is served by https://files.example.com/f: prove that address on its own"}},
		{"a target that is none", "https://staging.example.com/x", "", []string{"GET /v1/orders", "is served by https://files.example.com/f: prove that address on its own"}},
		{"the target of the other", "https://files.example.com", "", []string{"GET /v1/orders", "GET /f/files"}},
		{"one by name", "http://localhost:8080", "https://c.example.com/v3", []string{"GET /v3/orders", "is served by https://files.example.com/f: prove that address on its own"}},
		{"one as it is written", "", "https://{x}.example.com/v3/", []string{"GET /v3/orders", "is served by https://files.example.com/f: prove that address on its own"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target, err := url.Parse(tt.target)
			if err != nil {
				t.Fatal(err)
			}
			d, err := openapi.Read("a.yaml", []byte(doc), nil, openapi.Config{Target: target, Server: tt.server})
			if err != nil {
				t.Fatal(err)
			}
			for i, op := range d.Operations {
				if got := op.Route.Pattern; op.NotJudged == "" && got != tt.want[i] || op.NotJudged != "" && op.NotJudged != tt.want[i] {
					t.Errorf("%s: pattern %q, not judged %q; want %q", op.Name(), got, op.NotJudged, tt.want[i])
				}
			}
		})
	}
	_, err := openapi.Read("a.yaml", []byte(doc), nil, openapi.Config{Server: "https://d.example.com"})
	if want := `openapi: a.yaml:2:10: the server "https://d.example.com" is none of these; take one of them, such as "https://a.example.com/v1/"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A reference must not lead out of the document's directory, through a symbolic link neither.
func TestReferencesStayInside(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.yaml")
	inside := filepath.Join(dir, "api")
	if err := os.Mkdir(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, []byte("get: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret.yaml", filepath.Join(inside, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]string{
		"../secret.yaml":     "leads out of the directory",
		"link.yaml":          "cannot be read",
		secret:               "leads out of the directory",
		"file://" + secret:   "leads elsewhere",
		"%2e%2e/secret.yaml": "leads out of the directory",
		"..\\\\secret.yaml":  "cannot be read",
		".":                  "cannot be read",
		"//host/a.yaml":      "leads elsewhere",
	} {
		file := filepath.Join(inside, "openapi.yaml")
		if err := os.WriteFile(file, []byte("openapi: 3.1.0\npaths: {/a: {$ref: \""+ref+"\"}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openapi.ReadFile(file, openapi.Config{}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "openapi.yaml:2:20: ") {
			t.Errorf("%s: got %v, want %s", ref, err, want)
		}
	}
	if _, err := openapi.Read("a.yaml", []byte("openapi: 3.1.0\npaths: {/a: {$ref: b.yaml}}\n"), nil, openapi.Config{}); err == nil || !strings.Contains(err.Error(), "a.yaml:2:20: ") || !strings.Contains(err.Error(), "came without one") {
		t.Errorf("got %v", err)
	}
}

// TestSamples makes values of schemas.
func TestSamples(t *testing.T) {
	for _, tt := range []struct{ name, schema, want string }{
		{"nothing said", `{}`, `"example"`},
		{"example", `{type: string, example: a, default: b}`, `"a"`},
		{"examples of JSON Schema", `{type: string, examples: [a, b]}`, `"a"`},
		{"default", `{type: integer, default: 7}`, `7`},
		{"const", `{const: {a: [1]}}`, `{"a":[1]}`},
		{"enum", `{enum: [x, y]}`, `"x"`},
		{"a null is no value", `{type: [string, "null"], default: null, enum: [null]}`, `"example"`},
		{"pattern", `{type: string, pattern: '^ord_[0-9A-F]{8}(-x)?$'}`, `"ord_11111111"`},
		{"pattern with a length", `{pattern: '^[a-z]+$', minLength: 5}`, `"aaaaaaaa"`},
		{"pattern that Go has not", `{pattern: '^(?=a)b$'}`, `"example"`},
		{"pattern with an alternative", `{pattern: '^(cat|dog)s?\.\w{2,}$'}`, `"cat.aa"`},
		{"format", `{type: string, format: date-time}`, `"2024-01-31T12:00:00Z"`},
		{"format of its own", `{type: string, format: order}`, `"example"`},
		{"minLength", `{type: string, minLength: 10}`, `"examplexxx"`},
		{"maxLength", `{type: string, maxLength: 3}`, `"exa"`},
		{"minimum", `{type: integer, minimum: 18}`, `18`},
		{"exclusiveMinimum of 3.0", `{type: integer, minimum: 18, exclusiveMinimum: true}`, `19`},
		{"exclusiveMinimum of 3.1", `{type: integer, exclusiveMinimum: 18}`, `19`},
		{"maximum", `{type: integer, maximum: -5}`, `-5`},
		{"exclusiveMaximum", `{type: integer, exclusiveMaximum: -5}`, `-6`},
		{"multipleOf", `{type: integer, minimum: 10, multipleOf: 4}`, `12`},
		{"between", `{type: number, minimum: 0.25, maximum: 0.75}`, `0.25`},
		{"between, excluded", `{type: number, exclusiveMinimum: 0.25, exclusiveMaximum: 0.75}`, `0.5`},
		{"a bound beyond reason", `{type: integer, minimum: 1e400}`, `1`},
		{"a number without a type", `{minimum: 3}`, `3`},
		{"boolean", `{type: boolean}`, `true`},
		{"null", `{type: "null"}`, `null`},
		{"array", `{type: array, minItems: 2, items: {type: integer}}`, `[1,1]`},
		{"array that stays empty", `{type: array, maxItems: 0, items: {type: integer}}`, `[]`},
		{"array of too many", `{type: array, minItems: 2000000000, items: {type: integer}, maxItems: 2}`, `[1,1]`},
		{"object", `{properties: {a: {type: integer}, b: {}}, required: [a]}`, `{"a":1}`},
		{"object with a property that nobody describes", `{type: object, required: [a]}`, `{"a":"example"}`},
		{"readOnly", `{type: object, required: [id, a], properties: {id: {readOnly: true}, a: {}}}`, `{"a":"example"}`},
		{"allOf", `{allOf: [{type: object, required: [a], properties: {a: {type: integer}}}, {required: [b], properties: {b: {type: boolean}}}]}`, `{"a":1,"b":true}`},
		{"oneOf", `{oneOf: [{type: "null"}, {type: integer, minimum: 3}]}`, `3`},
		{"anyOf beside a bound", `{minimum: 5, anyOf: [{type: integer}, {type: string}]}`, `5`},
		{"itself", `{type: object, required: [a], properties: {a: {$ref: '#/components/schemas/S'}}}`, ``},
		{"true", `true`, `"example"`},
		{"wrong keywords", `{type: 7, minLength: a, pattern: [], properties: 3, required: x, allOf: 1, enum: {}}`, `{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := `{openapi: 3.1.0, components: {securitySchemes: {t: {type: openIdConnect}}, schemas: {S: ` + tt.schema + `}}, security: [{t: [a]}],
paths: {/a: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}}}}}`
			d, err := openapi.Read("a.yaml", []byte(doc), nil, openapi.Config{})
			if err != nil {
				t.Fatal(err)
			}
			if got := string(d.Operations[0].Example.Body); tt.want != "" && got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestStyles writes values that are no single word (OpenAPI 3.1.0, Section 4.8.12.3).
func TestStyles(t *testing.T) {
	const array, object = `schema: {}, example: [blue, black]`, `schema: {}, example: {R: 100, G: 200}`
	for _, tt := range []struct{ parameter, path, query string }{
		{`in: path, ` + array, "blue,black", ""},
		{`in: path, ` + object, "R,100,G,200", ""},
		{`in: path, explode: true, ` + object, "R=100,G=200", ""},
		{`in: path, style: label, ` + array, ".blue,black", ""},
		{`in: path, style: label, explode: true, ` + array, ".blue.black", ""},
		{`in: path, style: matrix, ` + array, ";color=blue,black", ""},
		{`in: path, style: matrix, explode: true, ` + array, ";color=blue;color=black", ""},
		{`in: path, style: matrix, explode: true, ` + object, ";R=100;G=200", ""},
		{`in: path, schema: {}, example: a/b c`, "a/b c", ""},
		{`in: path, schema: {}, example: null`, "example", ""},
		{`in: path, content: {application/json: {example: {a: [1]}}}`, `{"a":[1]}`, ""},
		{`in: path, examples: {first: {value: x}, second: {value: y}}`, "x", ""},
		{`in: query, required: true, ` + array, "1", "color=blue&color=black"},
		{`in: query, required: true, explode: false, ` + array, "1", "color=blue%2Cblack"},
		{`in: query, required: true, style: pipeDelimited, ` + array, "1", "color=blue%7Cblack"},
		{`in: query, required: true, style: spaceDelimited, ` + array, "1", "color=blue+black"},
		{`in: query, required: true, ` + object, "1", "G=200&R=100"},
		{`in: query, required: true, style: deepObject, explode: true, ` + object, "1", "color%5BG%5D=200&color%5BR%5D=100"},
		{`in: query, ` + array, "1", ""},
	} {
		doc := `{openapi: 3.1.0, components: {securitySchemes: {t: {type: openIdConnect}}}, security: [{t: [a]}],
paths: {'/a/{color}': {parameters: [{name: color, ` + tt.parameter + `}], get: {}}}}`
		d, err := openapi.Read("a.yaml", []byte(doc), nil, openapi.Config{})
		if err != nil {
			t.Errorf("%s: %v", tt.parameter, err)
			continue
		}
		e := d.Operations[0].Example
		if e.Values["color"] != tt.path || e.Query != tt.query {
			t.Errorf("%s: path %q, query %q; want %q, %q", tt.parameter, e.Values["color"], e.Query, tt.path, tt.query)
		}
	}
}

func TestBodies(t *testing.T) {
	for _, tt := range []struct{ content, media, body string }{
		{`{application/xml: {}, application/vnd.order+json: {example: {a: 1}}}`, "application/vnd.order+json", `{"a":1}`},
		{`{application/json: {example: '{"a": 1}'}}`, "application/json", `{"a": 1}`},
		{`{application/json: {example: text}}`, "application/json", `"text"`},
		{`{application/json: {}}`, "application/json", `{}`},
		{`{'*/*': {schema: {type: integer}}}`, "application/json", `1`},
		{`{application/x-www-form-urlencoded: {schema: {type: object, required: [a, b], properties: {b: {type: integer}}}}}`, "application/x-www-form-urlencoded", "a=example&b=1"},
		{`{multipart/form-data: {schema: {type: object, required: [a]}}}`, "multipart/form-data; boundary=countersign-example", "--countersign-example\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nexample\r\n--countersign-example--\r\n"},
		{`{text/plain: {example: hello}}`, "text/plain", "hello"},
		{`{application/xml: {example: <a/>}}`, "application/xml", "<a/>"},
		{`{application/xml: {schema: {type: object}}}`, "", ""},
		{`{"application/json\r\nX: y": {}}`, "", ""},
		{`{}`, "", ""},
	} {
		doc := `{openapi: 3.1.0, components: {securitySchemes: {t: {type: openIdConnect}}}, security: [{t: [a]}],
paths: {/a: {post: {requestBody: {content: ` + tt.content + `}}}}}`
		d, err := openapi.Read("a.yaml", []byte(doc), nil, openapi.Config{})
		if err != nil {
			t.Errorf("%s: %v", tt.content, err)
			continue
		}
		if e := d.Operations[0].Example; e.ContentType != tt.media || string(e.Body) != tt.body {
			t.Errorf("%s: %q %q", tt.content, e.ContentType, e.Body)
		}
	}
}

// FuzzRead holds the reader to what its callers rely on, whatever the document: it ends, and what it calls judged can be proved.
func FuzzRead(f *testing.F) {
	for _, file := range append(files(f, "*.good.*", 4), files(f, "*.bad.yaml", 30)...) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := openapi.Read("a.yaml", data, nil, openapi.Config{})
		if err != nil {
			if d != nil {
				t.Error("an error and a document")
			}
			return
		}
		if _, err := d.Policy().OpenAPI(); err != nil {
			t.Errorf("the policy cannot be written: %v", err)
		}
		if p := d.Policy(); len(p.Routes) > 0 && len(p.Routes) < 100 {
			// A Config that package prove refuses would end the command with words about Go.
			_, err := prove.Run(t.Context(), prove.Config{Policy: p, Target: prove.Handler(http.NotFoundHandler()), Examples: d.Examples()})
			if err != nil {
				t.Error(err)
			}
		}
		for _, op := range d.Operations {
			if len(op.Example.Body) > 64<<10 {
				t.Errorf("%s: a body of %d bytes", op.Name(), len(op.Example.Body))
			}
		}
	})
}
