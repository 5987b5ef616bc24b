package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/countersign-dev/countersign/cmd/countersign/scaffold"
)

// jobOf is the job in docs/review.md, which has to be the one that init writes.
func jobOf(t *testing.T, ci string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "review.md"))
	if err != nil {
		t.Fatal(err)
	}
	job := scaffold.Job(ci)
	if !strings.Contains(string(page), "\n```yaml\n"+job+"```\n") {
		t.Errorf("docs/review.md has another job for %s than init writes", ci)
	}
	return job
}

// decode reads YAML in which every member has to be known.
func decode(t *testing.T, text string, into any) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// workbench is a repository as a job finds it, with the tools on its path.
type workbench struct {
	t   *testing.T
	dir string
	bin string
	env []string
}

// newWorkbench has a service on main and a branch on which a route became public, merged as a pull request would be.
func newWorkbench(t *testing.T) *workbench {
	t.Helper()
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
		"GOFLAGS": "-mod=mod", "GOWORK": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local",
	} {
		t.Setenv(name, value)
	}
	w := &workbench{t: t, dir: t.TempDir(), bin: t.TempDir()}
	plan, err := scaffold.New(t.Context(), scaffold.Config{
		Dir: w.dir, Module: "example.com/you/service", Resource: "https://api.example.com", CI: scaffold.NoCI, Replace: repository,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Write(t.Context(), new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	w.must("git init -q -b main . && git add -A && git commit -q -m service && git checkout -q -b branch")
	opened := strings.Replace(w.read("api.go"), `countersign.Scope("items.read")`, `countersign.Public("demo day")`, 1)
	if err := os.WriteFile(filepath.Join(w.dir, "api.go"), []byte(opened), 0o644); err != nil {
		t.Fatal(err)
	}
	w.must("COUNTERSIGN_UPDATE=1 go test -run TestPolicy . && git commit -q -a -m demo")
	w.must("git checkout -q main && git commit -q --allow-empty -m meanwhile && git merge -q --no-ff -m merge branch")
	return w
}

// run runs the commands as a runner does: one shell, the first failure ends it.
func (w *workbench) run(script string) (output string, code int) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "bash", "-e", "-c", script)
	cmd.Dir = w.dir
	cmd.Env = append(append(os.Environ(), "PATH="+w.bin+string(os.PathListSeparator)+os.Getenv("PATH")), w.env...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		w.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (w *workbench) must(script string) string {
	w.t.Helper()
	out, code := w.run(script)
	if code != 0 {
		w.t.Fatalf("%s\nexit code %d\n%s", script, code, out)
	}
	return out
}

// stub puts a program on the path that writes its arguments into a file of its name.
func (w *workbench) stub(name string) {
	w.t.Helper()
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"" + filepath.Join(w.bin, name+".args") + "\"\n"
	if err := os.WriteFile(filepath.Join(w.bin, name), []byte(script), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

func (w *workbench) read(name string) string {
	w.t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(w.dir, name)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(content)
}

const install = "go install " + scaffold.Library + "/cmd/countersign@latest"

// The steps of the workflow do what docs/review.md says, on the merge of a pull request that opens a route.
func TestGitHubJob(t *testing.T) {
	type step struct {
		Name, Uses, If, Run string
		With, Env           map[string]string
		Optional            bool `yaml:"continue-on-error"`
	}
	var workflow struct {
		Name        string
		On          any
		Permissions map[string]string
		Jobs        map[string]struct {
			RunsOn      string `yaml:"runs-on"`
			Timeout     int    `yaml:"timeout-minutes"`
			Permissions map[string]string
			Env         map[string]string
			Steps       []step
		}
	}
	decode(t, jobOf(t, scaffold.GitHub), &workflow)
	if len(workflow.Permissions) != 1 || workflow.Permissions["contents"] != "read" {
		t.Errorf("the workflow may more than read: %v", workflow.Permissions)
	}
	job := workflow.Jobs["who-may-call-what"]
	w := newWorkbench(t)
	w.stub("gh")
	w.env = []string{"GITHUB_STEP_SUMMARY=" + filepath.Join(w.bin, "summary.md"), "GITHUB_REPOSITORY=you/service", "NUMBER=7", "POLICY=" + job.Env["POLICY"]}
	last, code := "", 0
	for _, s := range job.Steps {
		// What an expression says comes in by the environment: in a script, whoever chose its value would write shell.
		if strings.Contains(s.Run, "${{") {
			t.Errorf("%s: an expression stands in the script", s.Name)
		}
		if s.Run == install && s.Env["GOTOOLCHAIN"] != "auto" {
			t.Error("setup-go sets GOTOOLCHAIN=local: with the Go of an older go.mod the program cannot be built")
		}
		// What GitHub sells apart must not keep the steps after it, the review that is demanded among them, from being run.
		if strings.Contains(s.Uses, "upload-sarif") != s.Optional {
			t.Errorf("%s %s: continue-on-error is %t", s.Name, s.Uses, s.Optional)
		}
		if s.Run == "" || s.Run == install {
			continue
		}
		if code != 0 {
			t.Errorf("%s is run after a step that failed", s.Name)
		}
		last, code = w.run(s.Run)
	}
	if code != 1 || !strings.Contains(last, "GET /items/{id} became public") {
		t.Errorf("the last step ends with exit code %d:\n%s", code, last)
	}
	for name, want := range map[string]string{
		"comment.md":                       "| :warning: public | `GET /items/{id}` | `items.read` | `public, demo day` |",
		filepath.Join(w.bin, "summary.md"): "<!-- countersign diff -->",
		"countersign.sarif":                `"uri": "api.go"`,
		filepath.Join(w.bin, "gh.args"):    "pr\ncomment\n7\n--repo\nyou/service\n--body-file\ncomment.md\n",
		".git/HEAD":                        "refs/heads/main",
	} {
		if got := w.read(name); !strings.Contains(got, want) {
			t.Errorf("%s is\n%s", name, got)
		}
	}
}

// The same for GitLab, in a pipeline of the branch and in one of merged results.
func TestGitLabJob(t *testing.T) {
	var pipeline map[string]struct {
		Image, Timeout string
		Rules          []map[string]string
		Variables      map[string]string
		Script         []string
		AllowFailure   struct {
			ExitCodes []int `yaml:"exit_codes"`
		} `yaml:"allow_failure"`
		Artifacts struct {
			When  string
			Paths []string
		}
	}
	decode(t, jobOf(t, scaffold.GitLab), &pipeline)
	job := pipeline["who-may-call-what"]
	w := newWorkbench(t)
	base := strings.TrimSpace(w.must("git merge-base main^1 branch"))
	branch, merge := strings.TrimSpace(w.must("git rev-parse branch")), strings.TrimSpace(w.must("git rev-parse main"))
	script := strings.ReplaceAll(strings.Join(job.Script, "\n"), install+"\n", "")
	for name, variables := range map[string][]string{
		"a pipeline of the branch":         {"CI_COMMIT_SHA=" + branch},
		"a pipeline of the merged results": {"CI_COMMIT_SHA=" + merge, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=" + branch},
	} {
		t.Run(name, func(t *testing.T) {
			w.env = append([]string{"CI_MERGE_REQUEST_DIFF_BASE_SHA=" + base, "POLICY=" + job.Variables["POLICY"]}, variables...)
			out, code := w.run("set -o pipefail\n" + script)
			if code != 1 || len(job.AllowFailure.ExitCodes) != 1 || job.AllowFailure.ExitCodes[0] != 1 {
				t.Errorf("exit code %d:\n%s", code, out)
			}
			for _, path := range job.Artifacts.Paths {
				if got := w.read(path); !strings.Contains(got, "GET /items/{") {
					t.Errorf("%s is\n%s", path, got)
				}
			}
		})
	}
}
