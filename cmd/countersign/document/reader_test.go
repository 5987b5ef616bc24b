package document_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

func TestReader(t *testing.T) {
	n, err := document.Parse("a.yaml", []byte("name: reader\nport: 8080\nempty: \"\"\nlist: [a, b]\nnested: {a: 1}\nhunter2: x\n"))
	if err != nil {
		t.Fatal(err)
	}
	var r document.Reader
	if !r.Object(n, "a test", "name", "port", "empty", "list", "nested") || !r.Object(n.Get("nested"), "nested") {
		t.Error("an object is none")
	}
	if r.Word(n, "name") != "reader" || r.Word(n, "port") != "8080" || r.Word(n, "none") != "" || len(r.List(n, "list")) != 2 || r.List(n, "none") != nil {
		t.Error("what is there is not read")
	}
	if r.Word(n, "empty") != "" || r.Word(n, "nested") != "" || r.List(n, "name") != nil || r.Object(n.Get("list"), "the list") {
		t.Error("what is not there is read")
	}
	want := []string{
		`a.yaml:6:1: a test has no member of this name; it has ["name" "port" "empty" "list" "nested"]`,
		"a.yaml:3:8: empty is a string; write a word, in quotes",
		"a.yaml:5:9: nested is an object; write a word, in quotes",
		"a.yaml:1:7: name is a string; write a list",
		"a.yaml:4:7: the list is an array; write an object",
	}
	if got := fmt.Sprint(errors.Join(r.Problems...)); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}
