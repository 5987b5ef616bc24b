package scaffold_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/scaffold"
)

// checkout is this repository: the library is not published under the version that a service would require.
func checkout(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func config(t *testing.T, dir string) scaffold.Config {
	t.Helper()
	// No network: the library has no dependencies.
	for name, value := range map[string]string{"GOFLAGS": "-mod=mod", "GOWORK": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local"} {
		t.Setenv(name, value)
	}
	return scaffold.Config{
		Dir: dir, Module: "example.com/you/order-service", Resource: "https://api.example.com", CI: scaffold.GitHub, Replace: checkout(t),
	}
}

// write plans and writes, and returns what was said.
func write(t *testing.T, cfg scaffold.Config) string {
	t.Helper()
	plan, err := scaffold.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	if err := plan.Write(t.Context(), &said); err != nil {
		t.Fatal(err)
	}
	return said.String()
}

func goRun(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go %v: %v\n%s", args, err, out)
	}
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tree is every file of the directory with its content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		relative, _ := filepath.Rel(dir, name)
		files[filepath.ToSlash(relative)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func gofmt(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.Command("gofmt", "-l", dir).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("gofmt -l: %v\n%s", err, out)
	}
}

// In an empty directory the result passes its own tests, is formatted and vetted, as it stands.
func TestEmptyDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there [yet]")
	said := write(t, config(t, dir))
	for _, want := range []string{"wrote go.mod\n", "wrote api.go\n", "wrote testdata/authorization.json\n", "go test ./..."} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said:\n%s", want, said)
		}
	}
	gofmt(t, dir)
	goRun(t, dir, "vet", "./...")
	goRun(t, dir, "test", "./...")
	files := tree(t, dir)
	if mod := files["go.mod"]; !strings.Contains(mod, "\ngo 1.25.0\n") || strings.Contains(mod, "toolchain") {
		t.Errorf("go.mod is\n%s", mod)
	}
	if _, found := files["cmd/orderservice/main.go"]; !found {
		t.Error("there is no program")
	}
	// Its policy file is the one that Golden would write.
	t.Setenv("COUNTERSIGN_UPDATE", "1")
	goRun(t, dir, "test", "-count=1", "-run", "TestPolicy", ".")
	for name, content := range tree(t, dir) {
		if files[name] != content {
			t.Errorf("%s differs after COUNTERSIGN_UPDATE=1", name)
		}
	}
}

// A second run changes nothing: each file that is there is named.
func TestNothingIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	cfg := config(t, dir)
	put(t, dir, "cmd/orderservice/main.go", "mine\n")
	put(t, dir, "testdata/authorization.json", "")
	before := tree(t, dir)
	_, err := scaffold.New(t.Context(), cfg)
	for _, want := range []string{
		"cmd/orderservice/main.go is there already and is not overwritten; rename it",
		"testdata/authorization.json is there already",
		"nothing was written",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said: %v", want, err)
		}
	}
	after := tree(t, dir)
	if len(after) != len(before) || after["cmd/orderservice/main.go"] != "mine\n" {
		t.Errorf("the directory has changed: %d files", len(after))
	}
}

// A file that appears between the plan and its execution is kept too.
func TestRaceForAFile(t *testing.T) {
	dir := t.TempDir()
	plan, err := scaffold.New(t.Context(), config(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "api.go", "mine\n")
	if err := plan.Write(t.Context(), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "api.go") {
		t.Errorf("the error is %v", err)
	}
	if got := tree(t, dir)["api.go"]; got != "mine\n" {
		t.Errorf("api.go is %q", got)
	}
}

// A directory that is a symbolic link to another place is not written through.
func TestLinkOutOfTheDirectory(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "testdata")); err != nil {
		t.Fatal(err)
	}
	plan, err := scaffold.New(t.Context(), config(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Write(t.Context(), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "path escapes from parent") {
		t.Errorf("it was written through the link: %v", err)
	}
	if files := tree(t, outside); len(files) > 0 {
		t.Errorf("outside are %v", files)
	}
}

const existingAPI = `package main

import (
	web "net/http"

	cs "github.com/countersign-dev/countersign"
)

func main() {}

func routes(g *cs.Guard) web.Handler {
	api := g.Mux()
	api.HandleFunc("GET /things", func(w web.ResponseWriter, r *web.Request) {}, cs.Scope("things.read"))
	return api
}
`

// Code that makes an API of a guard gets its tests, its policy and the job, whatever its package and its imports are called.
func TestExistingAPI(t *testing.T) {
	dir := t.TempDir()
	cfg := config(t, dir)
	cfg.Module = ""
	put(t, dir, "go.mod", "module example.com/things\n\ngo 1.25.0\n")
	put(t, dir, "main.go", existingAPI)
	write(t, cfg)
	files := tree(t, dir)
	for _, want := range []string{"authorization_test.go", "testdata/authorization.json", "countersign.yaml", ".github/workflows/authorization.yml"} {
		if _, found := files[want]; !found {
			t.Errorf("%s was not written", want)
		}
	}
	if files["main.go"] != existingAPI || len(files) != 6 {
		t.Errorf("there are %d files", len(files))
	}
	if !strings.Contains(files["testdata/authorization.json"], "https://api.example.com/things.read") {
		t.Error("the policy is not that of the code")
	}
	checkConfig(t, dir, "things", ".", "things.read")
	gofmt(t, dir)
	goRun(t, dir, "vet", "./...")
	goRun(t, dir, "test", "./...")
}

// Code without an API gets the lines to add, and the library in its go.mod; it builds as before.
func TestExistingCode(t *testing.T) {
	dir := t.TempDir()
	cfg := config(t, dir)
	cfg.Module = ""
	put(t, dir, "go.mod", "module example.com/things\n\ngo 1.25.0\n")
	put(t, dir, "things.go", "package things\n")
	said := write(t, cfg)
	for _, want := range []string{"package things has code already", "func NewAPI(guard *countersign.Guard) http.Handler", "api := guard.Mux()"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said:\n%s", want, said)
		}
	}
	if files := tree(t, dir); len(files) != 2 {
		t.Errorf("there are %d files", len(files))
	}
	goRun(t, dir, "vet", "./...")
}

func TestGitLab(t *testing.T) {
	dir := t.TempDir()
	cfg := config(t, dir)
	cfg.CI = scaffold.GitLab
	put(t, dir, ".gitlab-ci.yml", "stages: [test]\n")
	said := write(t, cfg)
	files := tree(t, dir)
	if files[".gitlab-ci.yml"] != "stages: [test]\n" || files[".gitlab/authorization.yml"] != scaffold.Job("gitlab") || !strings.Contains(said, "- local: .gitlab/authorization.yml") {
		t.Errorf("the job is not beside the others:\n%s", said)
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		cfg   func(*scaffold.Config)
		want  string
	}{
		{"no module", nil, func(c *scaffold.Config) { c.Module = "" }, "has no go.mod; name the module: --module example.com/you/service"},
		{"another module", map[string]string{"go.mod": "module example.com/b\n\ngo 1.25.0\n"}, nil, "go.mod says that the module is example.com/b; leave --module away"},
		{"an old go.mod", map[string]string{"go.mod": "module example.com/b\n\ngo 1.21\n"}, func(c *scaffold.Config) { c.Module = "" },
			"go.mod says go 1.21, and the library needs 1.25.0: go mod edit -go=1.25.0"},
		{"nothing published", nil, func(c *scaffold.Config) { c.Replace = "" }, "name the checkout: --replace "},
		{"no checkout", nil, func(c *scaffold.Config) { c.Replace = c.Dir }, "is no checkout of github.com/countersign-dev/countersign"},
		{"a resource that is none", nil, func(c *scaffold.Config) { c.Resource = "orders" }, `the resource "orders" is no URL`},
		{"a resource with a quote", nil, func(c *scaffold.Config) { c.Resource = `https://a/"` }, "is no URL"},
		{"another CI", nil, func(c *scaffold.Config) { c.CI = "jenkins" }, `there is no CI job for "jenkins"; there are github, gitlab and none`},
		{"code that does not parse", map[string]string{"a.go": "package"}, nil, "a.go:1:8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range test.files {
				put(t, dir, name, content)
			}
			cfg := config(t, dir)
			if test.cfg != nil {
				test.cfg(&cfg)
			}
			_, err := scaffold.New(t.Context(), cfg)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if files := tree(t, dir); len(files) != len(test.files) {
				t.Errorf("there are %d files", len(files))
			}
		})
	}
}

// A published library is required by its version, and needs no checkout.
func TestPublished(t *testing.T) {
	dir := t.TempDir()
	cfg := config(t, dir)
	cfg.Replace, cfg.Version = "", "v1.2.3"
	write(t, cfg)
	if mod := tree(t, dir)["go.mod"]; !strings.Contains(mod, "require github.com/countersign-dev/countersign v1.2.3\n") || strings.Contains(mod, "replace") {
		t.Errorf("go.mod is\n%s", mod)
	}
}

// The release that a new module asks for is the library's.
func TestMinimumGo(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(checkout(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, config(t, dir))
	_, release, _ := strings.Cut(string(mod), "\ngo ")
	if release, _, _ = strings.Cut(release, "\n"); !strings.Contains(tree(t, dir)["go.mod"], "\ngo "+release+"\n") {
		t.Errorf("the library needs go %s", release)
	}
}
