package cognito_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// A recorder plays calls of the JSON API, and writes down what goes over the wire. What is drawn by chance has a name in
// angle brackets: it is put in where a request has the name, and taken out of the answers.
type recorder struct {
	wire
	names [][2]string // name, value
	pages map[string]*bytes.Buffer
}

var (
	inBrackets  = regexp.MustCompile(`<[a-z0-9-]+>`)
	accessToken = regexp.MustCompile(`ey[A-Za-z0-9_-]+\.ey[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)
)

// play sends a call, records it, and gives values of the answer their names: keep is name, path, name, path, …
func (r *recorder) play(operation, request string, keep ...string) {
	r.t.Helper()
	sent := inBrackets.ReplaceAllStringFunc(request, func(name string) string {
		for _, n := range r.names {
			if n[0] == name {
				return n[1]
			}
		}
		r.t.Fatalf("%s: nothing is called %s", operation, name)
		return ""
	})
	res := r.call(operation, sent)
	for i := 0; i < len(keep); i += 2 {
		value := strings.Trim(member(r.t, res.Body.Bytes(), strings.Split(keep[i+1], ".")...), `"`)
		if value == "" {
			r.t.Fatalf("%s: the answer has no %s: %s", operation, keep[i+1], res.Body)
		}
		r.names = append(r.names, [2]string{keep[i], value})
	}
	// The longest first: one value may be a part of another.
	names := slices.Clone(r.names)
	slices.SortStableFunc(names, func(a, b [2]string) int { return len(b[1]) - len(a[1]) })
	body := res.Body.String()
	for _, n := range names {
		body = strings.ReplaceAll(body, n[1], n[0])
	}
	body = accessToken.ReplaceAllString(body, "<token>")
	page := r.pages[operation]
	if page == nil {
		page = &bytes.Buffer{}
		r.pages[operation] = page
	}
	fmt.Fprintf(page, "> POST /\n> Content-Type: application/x-amz-json-1.1\n> X-Amz-Target: AWSCognitoIdentityProviderService.%s\n>\n> %s\n", operation, request)
	fmt.Fprintf(page, "< %d %s\n< Content-Type: %s\n<\n< %s\n\n", res.Code, http.StatusText(res.Code), res.Header().Get("Content-Type"), body)
	if len(res.Header().Get("x-amzn-RequestId")) != 36 {
		r.t.Errorf("%s: no request id", operation)
	}
}

// TestTranscripts compares what each operation sends and answers with testdata/wire; COUNTERSIGN_UPDATE=1 writes it.
func TestTranscripts(t *testing.T) {
	s := newService(t, cognito.Config{})
	r := &recorder{wire: wire{t, cognito.Handler(s, cognito.HandlerConfig{})}, pages: map[string]*bytes.Buffer{}}
	playPools(r)
	playDomains(r)
	playResourceServers(r)
	playClients(r)
	playSecrets(r)
	playTokens(r)
	playDeletions(r)
	dir := filepath.Join("testdata", "wire")
	if os.Getenv("COUNTERSIGN_UPDATE") == "1" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, feature := range cognito.Compatibility() {
		if feature.Area == "Operations" && feature.Support == cognito.Supported && r.pages[feature.Name] == nil {
			t.Errorf("there is no transcript of %s", feature.Name)
		}
	}
	for operation, page := range r.pages {
		path := filepath.Join(dir, operation+".txt")
		if os.Getenv("COUNTERSIGN_UPDATE") == "1" {
			if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(page.Bytes(), want) {
			t.Errorf("%s\n got\n%s\nwant\n%s", path, page, want)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) != len(r.pages) {
		t.Errorf("%d transcripts of %d operations, %v", len(files), len(r.pages), err)
	}
}
