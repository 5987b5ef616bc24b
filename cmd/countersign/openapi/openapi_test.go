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

// readFile reads a document, and the files beside it that it refers to.
func readFile(t *testing.T, name string) (*openapi.Document, error) {
	t.Helper()
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return openapi.Read(name, data, root.FS(), openapi.Config{})
}

// TestGood compares what is read of each good document with what a person found right.
func TestGood(t *testing.T) {
	for _, file := range files(t, "*.good.*", 4) {
		if strings.HasSuffix(file, ".want") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			d, err := readFile(t, file)
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
			d, err := readFile(t, file)
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

func TestServersThatSayNothing(t *testing.T) {
	const doc = "openapi: 3.1.0\ncomponents: {securitySchemes: {t: {type: openIdConnect}}}\nsecurity: [{t: [a]}]\npaths: {/a: {get: {}}, /b: {get: {servers: [{url: '{upload_url}'}, {url: 'https://'}, {}]}}}\n"
	d, err := openapi.Read("a.yaml", []byte(doc), nil, openapi.Config{})
	if err != nil || d.Operations[0].NotJudged != "" || d.Operations[1].NotJudged != "is served at an address that its servers do not say" {
		t.Errorf("%v, %+v", err, d)
	}
	_, err = openapi.Read("a.yaml", []byte(doc), nil, openapi.Config{Server: "https://a.example.com"})
	if err == nil || !strings.Contains(err.Error(), `a.yaml:1:1: the document names no server, and "https://a.example.com" is asked for; leave it out`) {
		t.Errorf("got %v", err)
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
		if _, err := readFile(t, file); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "openapi.yaml:2:20: ") {
			t.Errorf("%s: got %v, want %s", ref, err, want)
		}
	}
	if _, err := openapi.Read("a.yaml", []byte("openapi: 3.1.0\npaths: {/a: {$ref: b.yaml}}\n"), nil, openapi.Config{}); err == nil || !strings.Contains(err.Error(), "a.yaml:2:20: ") || !strings.Contains(err.Error(), "came without one") {
		t.Errorf("got %v", err)
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
