package countersigntest

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
)

// updateVariable makes Golden write.
const updateVariable = "COUNTERSIGN_UPDATE"

// Golden compares the API's policy with the file at path, an OpenAPI document in the repository where reviewers see who may call
// what change. With COUNTERSIGN_UPDATE=1 in the environment it writes the file, and its directory; without, it
// fails naming each route that appeared, vanished or whose rule changed.
//
// The file is about routes and rules: it has neither the issuer, of which every stage has another, nor the lines of the
// registrations, which move.
func Golden(t testing.TB, api http.Handler, path string) {
	t.Helper()
	policy, problem := policyOf(t, api)
	if problem != "" {
		t.Fatalf("countersigntest: Golden: %s", problem)
	}
	document, err := policy.OpenAPI()
	if err != nil {
		t.Fatalf("countersigntest: Golden: %v", err)
	}
	if os.Getenv(updateVariable) == "1" {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, document, 0o644)); err != nil {
			t.Fatalf("countersigntest: Golden: %v", err)
		}
		return
	}
	reviewed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("countersigntest: Golden: there is no %s yet; write it and have it reviewed:\n\t%s", path, acceptCommand(t))
	}
	if err != nil {
		t.Fatalf("countersigntest: Golden: %v", err)
	}
	old, err := countersign.ParsePolicy(reviewed)
	if err != nil {
		t.Fatalf("countersigntest: Golden: %s: %v", path, err)
	}
	changes := countersign.Diff(old, policy)
	if len(changes) == 0 {
		return
	}
	var lines strings.Builder
	for _, c := range changes {
		mark := "  "
		if c.Widened() {
			mark = "! "
		}
		lines.WriteString("\t" + mark + c.String() + "\n")
	}
	t.Errorf("countersigntest: Golden: who may call what is not what %s says (! admits more callers):\n%sIf that is meant:\n\t%s",
		path, lines.String(), acceptCommand(t))
}

// policyOf is the one policy of the API, in the form that is kept.
func policyOf(t testing.TB, api http.Handler) (countersign.Policy, string) {
	all, problem := policiesOf(t, api)
	if problem != "" {
		return countersign.Policy{}, problem
	}
	policy := countersign.Policy{Resource: all[0].policy.Resource, Profile: all[0].policy.Profile}
	for _, g := range all {
		if g.policy.Resource != policy.Resource {
			return countersign.Policy{}, "the guards of this test are for more than one resource; compare the mux of each with a file of its own"
		}
		for _, route := range g.policy.Routes {
			route.Source = ""
			policy.Routes = append(policy.Routes, route)
		}
	}
	return policy, ""
}

// acceptCommand runs this test alone, to write.
func acceptCommand(t testing.TB) string {
	names := strings.Split(t.Name(), "/")
	for n, name := range names {
		names[n] = "^" + regexp.QuoteMeta(name) + "$"
	}
	return updateVariable + "=1 go test -run '" + strings.Join(names, "/") + "' ."
}
