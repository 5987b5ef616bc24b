package openapi_test

import (
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/openapi"
)

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
