package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/prove"
)

func TestProveValues(t *testing.T) {
	o := proveOptions{values: []string{"id=order-7", "name=a=b"}}
	if err := o.readValues(); err != nil || o.known["id"] != "order-7" || o.known["name"] != "a=b" {
		t.Errorf("%v, %v", err, o.known)
	}
	o.values = []string{"id", "=7", "id=", "id=1", "id=2"}
	err := o.readValues()
	for _, want := range []string{"--value id: write NAME=VALUE", "--value =7: ", "--value id=: ", "--value id=2: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %v", want, err)
		}
	}
}

// What somebody knows goes before what the document has, and is not made up; what he does not know is as it was.
func TestExamplesWithValues(t *testing.T) {
	made := func(values map[string]string) prove.Example {
		return prove.Example{Made: true, Values: values, Query: "dry=1"}
	}
	p := proofPolicy{examples: map[string]prove.Example{
		"GET /orders/{id}":         made(map[string]string{"id": "1"}),
		"GET /orders/{id}/{item}":  made(map[string]string{"id": "1", "item": "1"}),
		"GET /files/{path...}":     made(map[string]string{"path": "1"}),
		"GET /users/{id}":          {Values: map[string]string{"id": "user-3"}},
		"GET /things/{thing}/{$}":  made(map[string]string{"thing": "1"}),
		"GET /nothing/in/the/path": {},
	}}
	all := p.examplesWith(map[string]string{"id": "order-7", "path": "a/b"})
	for pattern, want := range map[string]struct {
		id   string
		made bool
	}{
		"GET /orders/{id}": {"order-7", false}, "GET /orders/{id}/{item}": {"order-7", true}, "GET /users/{id}": {"order-7", false},
		"GET /things/{thing}/{$}": {"", true}, "GET /nothing/in/the/path": {"", false}, "GET /files/{path...}": {"", false},
	} {
		if got := all[pattern]; got.Values["id"] != want.id || got.Made != want.made {
			t.Errorf("%s: %+v", pattern, got)
		}
	}
	if all["GET /files/{path...}"].Values["path"] != "a/b" || all["GET /orders/{id}"].Query != "dry=1" || p.examples["GET /orders/{id}"].Values["id"] != "1" {
		t.Errorf("%+v", all)
	}
}

// While dev builds the service it knows no policy, and says so as JSON does.
func TestProveBeforeTheServiceIsUp(t *testing.T) {
	for _, policy := range []string{"", "null"} {
		_, err := proveOptions{}.readPolicy(t.Context(), &dev.Running{Policy: json.RawMessage(policy)}, nil, []string{"http://localhost"})
		if err == nil || !strings.Contains(err.Error(), "the running dev knows no policy: its service has not come up") {
			t.Errorf("%q: %v", policy, err)
		}
	}
}
