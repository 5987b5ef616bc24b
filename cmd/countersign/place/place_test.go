package place_test

import (
	"strconv"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/place"
)

const yaml = `openapi: 3.1.0
paths:
  /orders:
    get:
      x-countersign-pattern: GET example.com/orders
    post: {}
`

func TestOf(t *testing.T) {
	files := []string{"service/api.go", "other/api.go", "service/main.go", "a/twice.go", "b/twice.go"}
	for _, test := range []struct{ name, file, document, pattern, source, want string }{
		{"a registration that there is once", "testdata/p.yaml", yaml, "GET /x", "main.go:12", "service/main.go:12"},
		{"one beside the policy", "service/testdata/p.yaml", yaml, "GET /x", "api.go:3", "service/api.go:3"},
		{"two that none is beside", "p.yaml", yaml, "POST /orders", "twice.go:3", "p.yaml:6"},
		{"no such file", "p.yaml", yaml, "POST /orders", "gone.go:3", "p.yaml:6"},
		{"no line", "p.yaml", yaml, "POST /orders", "main.go:x", "p.yaml:6"},
		{"a line in the document", "docs/p.yaml", yaml, "POST /orders", "p.yaml:2", "docs/p.yaml:2"},
		{"a pattern that is written out", "p.yaml", yaml, "GET example.com/orders", "", "p.yaml:5"},
		{"an operation that is not there", "p.yaml", yaml, "GET /gone", "", "p.yaml:1"},
		{"a document that cannot be read", "p.yaml", "\t{", "GET /orders", "", "p.yaml:1"},
		{"no document", "", "", "GET /orders", "", ":0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := place.New(test.file, []byte(test.document), func() []string { return files })
			file, line := p.Of(test.pattern, test.source)
			if got := file + ":" + strconv.Itoa(line); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
