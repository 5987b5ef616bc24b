package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// DefaultPath is the file that commands read when none is named.
const DefaultPath = "countersign.yaml"

// environmentsKey is the one member of the file that [Config] has no field for.
const environmentsKey = "environments"

// maxSize bounds the file, in bytes.
const maxSize = 1 << 20

// Load reads the file and lays the environment over it; "" is the file without any. All mistakes are reported at once, each as
// "countersign.yaml:12:3: clients[0].scopes[1]: what is wrong; what to write": see [Problems]. Defaults are filled in.
func Load(path, environment string) (*Config, error) {
	file, err := Read(path)
	if err != nil {
		return nil, err
	}
	return file.Config(environment)
}

// File is countersign.yaml as it was read, before an environment is laid over it.
type File struct {
	path         string
	root         *value // without the environments
	environments []member
	problems     Problems // of the file as a whole
}

// Read reads the file. An error is that the file is not there or is no YAML; what is wrong with its members is said by [File.Config].
func Read(path string) (*File, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if above := Above(); above != "" && path == DefaultPath {
			return nil, fmt.Errorf("there is no %s in this directory, and there is %s: type the command where that is, or name it with --file %s (%w)",
				path, above, above, fs.ErrNotExist)
		}
		return nil, fmt.Errorf("%s does not exist; name the file with --file, or write one with: countersign init (%w)", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("%s is larger than %d MiB", path, maxSize>>20)
	}
	return data, err
}

// Above is the nearest countersign.yaml above this directory, as it is named from here, within the module or repository that the directory
// lies in; "" if there is none.
func Above() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	is := func(name ...string) bool {
		_, err := os.Stat(filepath.Join(name...))
		return err == nil
	}
	found := ""
	for up := ""; !is(dir, "go.mod") && !is(dir, ".git"); {
		if dir == filepath.Dir(dir) {
			return "" // it lies in neither: what is up there is another one's
		}
		dir, up = filepath.Dir(dir), filepath.Join("..", up)
		if found == "" && is(dir, DefaultPath) {
			found = filepath.Join(up, DefaultPath)
		}
	}
	return found
}

// Parse is Read of a file whose text is at hand.
func Parse(path string, data []byte) (*File, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("%s is larger than %d MiB", path, maxSize>>20)
	}
	tree, twice, err := document.ParseAll(path, data)
	if err != nil {
		return nil, problemOf(err)
	}
	r := &reader{}
	for _, err := range twice {
		r.problems = append(r.problems, problemOf(err))
	}
	planted, err := new(planter).plant(tree, "")
	if err != nil {
		return nil, err
	}
	if planted.kind != document.Object {
		return nil, &Problem{Place: planted.Place, Text: "the file is " + kindWords[planted.kind] + "; write a mapping, such as service: {name: orders}"}
	}
	file := &File{path: path, root: planted}
	if i := slices.IndexFunc(planted.members, func(m member) bool { return m.name == environmentsKey }); i >= 0 {
		file.environments = r.environments(planted.members[i].value)
		planted.members = slices.Delete(planted.members, i, i+1)
	}
	r.checkNames(planted, root())
	file.problems = r.problems
	return file, nil
}

func problemOf(err error) *Problem {
	var at *document.Error
	if !errors.As(err, &at) {
		return &Problem{Text: err.Error()}
	}
	text := at.Text
	if strings.Contains(text, "cannot start any token") {
		text += "; if it is a tab, write spaces"
	}
	return &Problem{Place: at.Place, Text: text}
}

// Environments are the names of the overlays, in the order of the file.
func (f *File) Environments() []string {
	var names []string
	for _, m := range f.environments {
		names = append(names, m.name)
	}
	return names
}

// Config is the file with the environment laid over it; "" is the file as it stands.
func (f *File) Config(environment string) (*Config, error) {
	r := &reader{problems: slices.Clone(f.problems)}
	tree := f.root
	if environment != "" {
		i := slices.Index(f.Environments(), environment)
		if i < 0 {
			return nil, errors.Join(f.unknown(environment), r.problems.err())
		}
		r.checkNames(f.environments[i].value, root())
		tree = r.merge(f.root, f.environments[i].value, root())
	}
	c := &Config{Environment: environment, Path: f.path, values: map[string]*value{}}
	r.decode(tree, c)
	c.fillDefaults()
	r.check(c)
	if err := r.problems.err(); err != nil {
		if environment == "" && len(f.environments) > 0 && r.missing {
			err = fmt.Errorf("%w\n%s: choose an environment with --env, if what is missing stands there: %s", err, f.path, strings.Join(f.Environments(), ", "))
		}
		return nil, err
	}
	return c, nil
}

// Check reads every environment of the file, or the file as it stands if it has none, and reports the mistakes of all.
func (f *File) Check() error {
	names := f.Environments()
	if len(names) == 0 {
		names = []string{""}
	}
	var all Problems
	in := map[Problem][]string{}
	for _, name := range names {
		_, err := f.Config(name)
		for _, problem := range AsProblems(err) {
			if in[*problem] == nil {
				all = append(all, problem)
			}
			in[*problem] = append(in[*problem], name)
		}
	}
	for _, problem := range all {
		// Where a mistake stands in the file itself, and only some environments have it, these are named.
		if of := in[*problem]; len(of) < len(names) && !strings.HasPrefix(problem.Path, environmentsKey+".") {
			problem.Text += " (environment " + strings.Join(of, ", ") + ")"
		}
	}
	return all.err()
}

func (f *File) unknown(environment string) error {
	names := f.Environments()
	text := fmt.Sprintf("%s has no environment %s", f.path, document.Quote(environment))
	if len(names) == 0 {
		return fmt.Errorf("%s; it has none at all: leave --env out, or write environments: {%s: {}}", text, document.Plain(environment))
	}
	return fmt.Errorf("%s; %s", text, write(environment, names))
}

// reserved is no name of an environment: a try on the laptop would write over the credentials of such a one.
const reserved = "local"

// environments checks the mapping of overlays and returns those that can be laid over the file.
func (r *reader) environments(v *value) []member {
	if v.kind != document.Object {
		r.fail(v, "is %s; write a mapping of names to what differs there, such as prod: {kubernetes: {replicas: {min: 3}}}", kindWords[v.kind])
		return nil
	}
	var all []member
	for _, m := range v.members {
		if problem := formatNamed("label").problem(m.name); problem != "" {
			r.failAt(m.Place, m.value.path, "%s", problem)
			continue
		}
		if m.name == reserved {
			r.failAt(m.Place, m.value.path, "is the name under which --local keeps credentials; write another, such as dev")
			continue
		}
		switch m.value.kind {
		case document.Null: // an environment that differs in nothing
			m.value = &value{Place: m.value.Place, path: m.value.path, kind: document.Object}
		case document.Object:
		default:
			r.fail(m.value, "is %s; write a mapping of what differs from the file", kindWords[m.value.kind])
			continue
		}
		if inner := m.value.get(environmentsKey); inner != nil {
			r.fail(inner, "an environment has no environments of its own")
			m.value = without(m.value, environmentsKey)
		}
		all = append(all, m)
	}
	return all
}

func without(v *value, name string) *value {
	out := *v
	out.members = slices.DeleteFunc(slices.Clone(v.members), func(m member) bool { return m.name == name })
	return &out
}
