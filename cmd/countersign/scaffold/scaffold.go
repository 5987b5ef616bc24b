package scaffold

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Library is the module that a service requires.
const Library = "github.com/countersign-dev/countersign"

// The forms of a CI job.
const (
	GitHub = "github"
	GitLab = "gitlab"
	NoCI   = "none"
)

// policyFile is where the golden test keeps the policy, and where the CI job looks for it.
const policyFile = "testdata/authorization.json"

// Config says what to begin, and where.
type Config struct {
	Dir      string // of the module's root; it is made if it is missing
	Module   string // path of the module; required where there is no go.mod, and else empty
	Resource string // whose scopes the routes ask for: the identifier of Cognito's resource server
	Region   string // of AWS, for countersign.yaml; empty means ap-southeast-1
	CI       string // GitHub, GitLab or NoCI
	Version  string // of the library to require, such as "v1.2.3"; empty if none is published
	Replace  string // path of an unpublished checkout of the library, or empty
}

// Plan is what is to be done. Nothing of it is done yet.
type Plan struct {
	Dir    string
	files  []file
	module module
	api    *api // of code that is there already
	isMain bool // whether that code is a program
	notes  []string

	region, resource string // for countersign.yaml
}

// file is one that will be written.
type file struct {
	name    string // with slashes, relative to the directory
	content []byte
}

// New looks at the directory, without changing anything, and plans what is to be written. The error names everything
// that stands in the way.
func New(ctx context.Context, cfg Config) (*Plan, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("scaffold: %w", err)
	}
	p := &Plan{Dir: dir, region: cmp.Or(cfg.Region, "ap-southeast-1"), resource: cfg.Resource}
	var problems []error
	if p.module, err = readModule(ctx, dir, cfg); err != nil {
		problems = append(problems, err)
	}
	code, err := readCode(dir)
	if err != nil {
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if err := p.choose(cfg, code); err != nil {
		return nil, err
	}
	return p, p.checkFiles()
}

func (c Config) check() error {
	var problems []error
	if c.Dir == "" {
		problems = append(problems, errors.New("scaffold: the directory is missing"))
	}
	if strings.HasSuffix(c.Resource, "/") {
		problems = append(problems, fmt.Errorf("scaffold: the resource %q ends with a slash; write it without: its scopes have one", c.Resource))
	}
	if u, err := url.Parse(c.Resource); err != nil || u.Scheme == "" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsFunc(c.Resource, notInResource) {
		problems = append(problems, fmt.Errorf("scaffold: the resource %q is no URL such as https://api.example.com", c.Resource))
	}
	if c.CI != GitHub && c.CI != GitLab && c.CI != NoCI {
		problems = append(problems, fmt.Errorf("scaffold: there is no CI job for %q; there are %s, %s and %s", c.CI, GitHub, GitLab, NoCI))
	}
	return errors.Join(problems...)
}

// notInResource says what may not stand in an identifier that becomes part of a scope (RFC 6749, Section 3.3).
func notInResource(c rune) bool { return c <= ' ' || c == '"' || c == '\\' || c > '~' }

// choose decides by the code that is there.
func (p *Plan) choose(cfg Config, code code) error {
	data := templateData{Package: code.name, Module: p.module.path, Resource: cfg.Resource, Library: Library, Policy: policyFile}
	switch {
	case !code.exists:
		data.Package = packageName(p.module.path)
		data.Function, data.Example = "NewAPI", true
		document, err := examplePolicy(cfg.Resource)
		if err != nil {
			return err
		}
		p.add("api.go", "api.go.tmpl", data)
		p.add("api_test.go", "api_test.go.tmpl", data)
		p.add("cmd/"+data.Package+"/main.go", "main.go.tmpl", data)
		p.files = append(p.files, file{policyFile, document})
		if err := p.addConfig(document); err != nil {
			return err
		}
	case len(code.apis) > 0:
		p.api, p.isMain = &code.apis[0], code.name == "main"
		data.Function = p.api.name
		p.add("authorization_test.go", "api_test.go.tmpl", data)
		if len(code.apis) > 1 {
			p.notes = append(p.notes, fmt.Sprintf("the test is about %s; write the like of it for the other functions that take a guard", p.api.name))
		}
	default:
		p.notes = append(p.notes, render("lines.txt.tmpl", data))
		return nil
	}
	p.addJob(cfg, data)
	return nil
}

// addJob plans the CI job. GitLab has one file for all jobs: where that exists, the job gets one to be included.
func (p *Plan) addJob(cfg Config, data templateData) {
	switch cfg.CI {
	case GitHub:
		p.add(".github/workflows/authorization.yml", "github.yml.tmpl", data)
	case GitLab:
		name := ".gitlab-ci.yml"
		if _, err := os.Lstat(filepath.Join(p.Dir, name)); err == nil {
			name = ".gitlab/authorization.yml"
			p.notes = append(p.notes, "add the job to .gitlab-ci.yml:\n\tinclude:\n\t  - local: "+name)
		}
		p.add(name, "gitlab.yml.tmpl", data)
	}
}

// addConfig plans countersign.yaml.
func (p *Plan) addConfig(document []byte) error {
	f, err := p.configFile(document)
	if err == nil && f.name != "" {
		p.files = append(p.files, f)
	}
	return err
}

func (p *Plan) add(name, template string, data templateData) {
	content := []byte(render(template, data))
	if strings.HasSuffix(name, ".go") {
		// The module's path decides where its import belongs among the others.
		if formatted, err := format.Source(content); err == nil {
			content = formatted
		}
	}
	p.files = append(p.files, file{name, content})
}

// checkFiles refuses if one of the files is there, whatever is in it: all are written, or none.
func (p *Plan) checkFiles() error {
	var problems []error
	for _, f := range p.files {
		_, err := os.Lstat(filepath.Join(p.Dir, filepath.FromSlash(f.name)))
		switch {
		case err == nil:
			problems = append(problems, fmt.Errorf("scaffold: %s is there already and is not overwritten; rename it, or write what you need by hand", f.name))
		case !errors.Is(err, fs.ErrNotExist):
			problems = append(problems, fmt.Errorf("scaffold: %w", err))
		}
	}
	if len(problems) > 0 {
		problems = append(problems, errors.New("scaffold: nothing was written"))
	}
	return errors.Join(problems...)
}
