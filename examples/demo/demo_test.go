package demo_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/countersigntest"
	"github.com/countersign-dev/countersign/examples/demo"
)

func TestAPI(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	api := demo.NewAPI(issuer.Guard(demo.Resource))
	countersigntest.Matrix(t, api)
}

func TestPolicy(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	api := demo.NewAPI(issuer.Guard(demo.Resource))
	countersigntest.Golden(t, api, "testdata/authorization.json")
}

func TestProtectedRole(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	api := demo.NewAPI(issuer.Guard(demo.Resource))
	res := issuer.As("readClient", "demo.read").Get(api, "/api/demo/protectedRole/sample-username")
	if got := res.StatusCode; got != http.StatusOK {
		t.Fatalf("status %d", got)
	}
	if got := res.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	if got, want := read(t, res), `{"protectedAPI":"true","paramName":"sample-username"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestProtectedUpload(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	api := demo.NewAPI(issuer.Guard(demo.Resource))
	writer := issuer.As("writeClient", "demo.write")
	for _, test := range []struct {
		name, contentType, body string
		status                  int
		answer                  string
	}{
		{"sorted by name", "application/json", `{"c":"d","a":"b"}`, 200, "Received: {a=b, c=d}"},
		{"empty", "application/json; charset=utf-8", ` {} `, 200, "Received: {}"},
		{"no content type", "", `{}`, 400, "the Content-Type must be application/json"},
		{"form", "application/x-www-form-urlencoded", `a=b`, 400, "the Content-Type must be application/json"},
		{"no body", "application/json", ``, 400, "the body ends before the JSON object does"},
		{"cut short", "application/json", `{"a":"b"`, 400, "the body ends before the JSON object does"},
		{"array", "application/json", `["a"]`, 400, "the body must be a JSON object of strings"},
		{"null", "application/json", `null`, 400, "the body must be a JSON object of strings"},
		{"number", "application/json", `{"a":1}`, 400, `the member "a" must be a string`},
		{"nested", "application/json", `{"a":{"b":"c"}}`, 400, `the member "a" must be a string`},
		{"null member", "application/json", `{"a":null}`, 400, `the member "a" must be a string`},
		{"member twice", "application/json", `{"a":"b","a":"c"}`, 400, `the member "a" stands twice`},
		{"two objects", "application/json", `{}{}`, 400, "the body must end after the JSON object"},
		{"no JSON", "application/json", `{a=b}`, 400, "the body is not JSON: "},
		{"too large", "application/json", `{"a":"` + strings.Repeat("b", 64<<10) + `"}`, 400, "the body is over 65536 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			res := writer.Post(api, "/api/demo/protectedUpload", test.contentType, test.body)
			if res.StatusCode != test.status {
				t.Errorf("status %d, want %d", res.StatusCode, test.status)
			}
			if got := read(t, res); !strings.HasPrefix(got, test.answer) {
				t.Errorf("got %q, want %q", got, test.answer)
			}
		})
	}
}

func read(t *testing.T, res *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
