package review_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/review"
)

// repository is a git repository that no configuration of this machine reaches.
type repository struct {
	t   testing.TB
	dir string
}

func newRepository(t testing.TB) repository {
	t.Helper()
	for name, value := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
	} {
		t.Setenv(name, value)
	}
	r := repository{t, t.TempDir()}
	r.git("init", "-q", "-b", "main")
	return r
}

func (r repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes the file and commits it.
func (r repository) commit(name string, content []byte) {
	r.t.Helper()
	path := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		r.t.Fatal(err)
	}
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "change "+name)
}

func (r repository) open(dir string) *review.Repository {
	r.t.Helper()
	opened, err := review.OpenRepository(r.t.Context(), filepath.Join(r.dir, dir))
	if err != nil {
		r.t.Fatal(err)
	}
	return opened
}

func document(t testing.TB, routes ...countersign.Route) []byte {
	t.Helper()
	out, err := countersign.Policy{Resource: resource, Profile: countersign.Cognito, Routes: routes}.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRevisions(t *testing.T) {
	r := newRepository(t)
	r.commit("README", nil)
	r.commit("service/api.go", []byte("package service\n"))
	r.commit("other/api.go", []byte("package other\n"))
	r.commit("service/testdata/authorization.json", document(t, route("GET /a", countersign.Scope("read"))))
	r.git("tag", "v1")
	withSource := route("GET /a", countersign.Public("oops"))
	withSource.Source = "api.go:7"
	r.commit("service/testdata/authorization.json", document(t, withSource))
	const file = "testdata/authorization.json"
	opened := r.open("service") // the path is relative to the directory, as people type it

	read := func(revision string) review.Side {
		t.Helper()
		s, err := opened.Read(t.Context(), revision, file)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	report := review.Compare(read("v1"), read("HEAD"))
	if got, want := report.Headline(), "GET /a became public"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// The registration is the one in the package whose testdata has the policy, and not that of the same name elsewhere.
	if c := report.Changes[0]; c.File != "service/api.go" || c.Line != 7 {
		t.Errorf("shown at %s:%d", c.File, c.Line)
	}
	if first := read("v1~1"); !first.Missing() {
		t.Error("the commit before has the file")
	}
	now, err := opened.ReadWorkTree(file)
	if err != nil || now.Missing() || now.Path != "service/"+file {
		t.Errorf("the directory as it is: %+v, %v", now.Path, err)
	}
	if changes := review.Compare(read("HEAD"), now).Changes; len(changes) > 0 {
		t.Errorf("%d changes against HEAD itself", len(changes))
	}
}

// A policy without lines is shown at its registrations all the same, as the code of that revision has them.
func TestRegistrations(t *testing.T) {
	r := newRepository(t)
	r.commit("service/testdata/authorization.json", document(t))
	r.commit("service/routes/api.go", []byte(`package routes

import cs "github.com/countersign-dev/countersign"

func routes(api *cs.Mux) {
	api.HandleFunc("GET /once", nil, cs.Scope("read"))
	api.HandleFunc("GET /twice", nil, cs.Scope("read"))
	add("GET /twice", nil)
	_ = []string{"GET /listed"}
}
`))
	r.commit("service/client.go", []byte("package service\n\nvar _ = call(\"GET /called\", nil) // imports no rules\n"))
	r.commit("other/api.go", []byte("package other\n\nimport _ \"github.com/countersign-dev/countersign\"\n\nvar _ = add(\"GET /once\", nil)\n"))
	var all []countersign.Route
	for _, pattern := range []string{"GET /once", "GET /twice", "GET /listed", "GET /called"} {
		all = append(all, route(pattern, countersign.Scope("read")))
	}
	r.commit("service/testdata/authorization.json", document(t, all...))
	opened := r.open("service")
	t.Chdir(filepath.Join(r.dir, "service"))
	const file = "testdata/authorization.json"
	head, err := opened.Read(t.Context(), "HEAD", file)
	if err != nil {
		t.Fatal(err)
	}
	now, err := opened.ReadWorkTree(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, side := range map[string]review.Side{"HEAD": head, "the directory": now} {
		for _, c := range review.Compare(review.Side{}, side).Changes {
			if c.Route == "GET /once" {
				if c.File != "service/routes/api.go" || c.Line != 6 {
					t.Errorf("%s: %s is shown at %s:%d", name, c.Route, c.File, c.Line)
				}
			} else if c.File != "service/testdata/authorization.json" || c.Line < 2 {
				t.Errorf("%s: %s is shown at %s:%d", name, c.Route, c.File, c.Line)
			}
		}
	}
}

func TestMergeBase(t *testing.T) {
	r := newRepository(t)
	r.commit("policy.json", document(t, route("GET /a", countersign.Scope("read"))))
	r.git("checkout", "-q", "-b", "branch")
	r.commit("policy.json", document(t, route("GET /a", countersign.Scope("read")), route("GET /b", countersign.Scope("read"))))
	r.git("checkout", "-q", "main")
	r.commit("policy.json", document(t, route("GET /a", countersign.Scope("write"))))
	opened := r.open(".")
	base, err := opened.MergeBase(t.Context(), "main", "branch")
	if err != nil {
		t.Fatal(err)
	}
	old, err := opened.Read(t.Context(), base, "policy.json")
	if err != nil {
		t.Fatal(err)
	}
	head, err := opened.Read(t.Context(), "branch", "policy.json")
	if err != nil {
		t.Fatal(err)
	}
	// What main did meanwhile is no work of the branch.
	if got, want := review.Compare(old, head).Headline(), "GET /b now reachable with read"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.git("checkout", "-q", "--orphan", "island")
	r.git("commit", "-q", "-m", "another history")
	if _, err := opened.MergeBase(t.Context(), "main", "island"); err == nil || !strings.Contains(err.Error(), "no common ancestor") {
		t.Errorf("the error is %v", err)
	}
}

func TestRevisionMistakes(t *testing.T) {
	r := newRepository(t)
	r.commit("policy.json", document(t))
	if err := os.Symlink("policy.json", filepath.Join(r.dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	r.commit("empty.json", nil)
	r.commit("dir/star[1].json", document(t))
	opened := r.open("dir")
	for _, test := range []struct{ name, revision, file, want string }{
		{"no such revision", "nowhere", "../policy.json", "git knows no revision nowhere here; fetch it first"},
		{"an option", "--output=stolen", "../policy.json", "--output=stolen is no revision: it begins with a hyphen"},
		{"empty", "", "../policy.json", "it is empty"},
		{"a range", "main..main", "../policy.json", "git knows no revision main..main"},
		{"a path in it", "main:policy.json", "../policy.json", "git knows no revision main:policy.json"},
		{"a control character", "main\nHEAD", "../policy.json", `main\nHEAD is no revision: it has a control character`},
		{"out of the repository", "main", "../../policy.json", "is no path in this repository"},
		{"absolute", "main", filepath.Join(r.dir, "policy.json"), "is no path in this repository"},
		{"no path", "main", "", "is no path in this repository"},
		{"a directory", "main", "../dir", "main:dir: it is a directory"},
		{"a symbolic link", "main", "../link.json", "main:link.json: it is a symbolic link; name the file that it points to"},
		{"an empty file", "main", "../empty.json", "main:empty.json: countersign: policy:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := opened.Read(t.Context(), test.revision, test.file)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	// A pathspec would match; a path is only itself.
	if s, err := opened.Read(t.Context(), "main", "star*.json"); err != nil || !s.Missing() {
		t.Errorf("star*.json matched: %v", err)
	}
	if s, err := opened.Read(t.Context(), "main", "star[1].json"); err != nil || s.Missing() {
		t.Errorf("star[1].json was not found: %v", err)
	}
	if _, err := review.OpenRepository(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a git repository") {
		t.Errorf("outside a repository: %v", err)
	}
}

// Whatever a branch is called, asking for it runs no option of git: the directory and the repository stay as they are.
func FuzzRevision(f *testing.F) {
	for _, seed := range []string{
		"main", "HEAD^", "--output=x", "-x", "main..HEAD", "main:policy.json", ":/c", "@{u}", "main^{tree}", "a b", "$(touch x)", "`touch x`",
		";touch x", "|touch x", "--", "\x00", "main\n--output=x", "@{-1}", "HEAD@{1}", "refs/heads/main", "main^{/x}", "ext::sh -c touch% x", "\xff",
	} {
		f.Add(seed)
	}
	r := newRepository(f)
	r.commit("policy.json", document(f))
	head := r.git("rev-parse", "main")
	f.Fuzz(func(t *testing.T, revision string) {
		opened := repository{t, r.dir}.open(".")
		s, err := opened.Read(t.Context(), revision, "policy.json")
		if err == nil && (s.Missing() || len(s.Policy.Routes) > 0) {
			t.Errorf("%q was read as something else", revision)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x00\x1b\n\r") {
			t.Errorf("the error has a control character: %q", err)
		}
		entries, err := os.ReadDir(r.dir)
		if err != nil || len(entries) != 2 {
			t.Errorf("the directory has %d entries, %v", len(entries), err)
		}
		if now := (repository{t, r.dir}).git("for-each-ref", "--format=%(objectname)"); now != head {
			t.Errorf("the references are %q", now)
		}
	})
}
