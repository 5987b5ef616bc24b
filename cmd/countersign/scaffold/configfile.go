package scaffold

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

// configData is what countersign.yaml.tmpl knows.
type configData struct {
	Name, Main, Policy, Live, Region, Resource string
	Scopes                                     []string
	Clients                                    []configClient
}

type configClient struct{ Name, Scope string }

// Describe is a scope's description, until somebody has a better one.
func (configData) Describe(scope string) string {
	thing, verb, found := strings.Cut(scope, ".")
	if !found || verb == "" {
		return scope
	}
	return strings.ToUpper(verb[:1]) + verb[1:] + " " + thing
}

var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*$`)

// Word writes a text as YAML does, in quotes where it needs them.
func (configData) Word(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return strconv.Quote(text)
}

// configFile is countersign.yaml for the service whose policy is known. A file that is there is left as it is.
func (p *Plan) configFile(document []byte) (file, error) {
	none := file{}
	if _, err := os.Lstat(filepath.Join(p.Dir, config.DefaultPath)); !errors.Is(err, fs.ErrNotExist) {
		return none, err
	}
	policy, err := countersign.ParsePolicy(document)
	if err != nil {
		return none, fmt.Errorf("scaffold: %s: %w", policyFile, err)
	}
	data := configData{
		Name: serviceName(p.module.path), Main: p.mainPackage(), Policy: policyFile, Live: livePath(policy),
		Region: p.region, Resource: cmp.Or(policy.Resource, p.resource), Scopes: scopesOf(policy),
	}
	for _, scope := range data.Scopes {
		data.Clients = append(data.Clients, configClient{clientName(scope, data.Scopes), scope})
	}
	content := render("countersign.yaml.tmpl", data)
	parsed, err := config.Parse(filepath.Join(p.Dir, config.DefaultPath), []byte(content))
	if err == nil {
		err = parsed.Check()
	}
	if err != nil {
		p.notes = append(p.notes, fmt.Sprintf("countersign.yaml asks for your hand:\n%v", err))
	}
	return file{config.DefaultPath, []byte(content)}, nil
}

// serviceName is the last word of the module's path as Kubernetes takes it.
func serviceName(module string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, lastWord(module))
	name = strings.TrimLeft(name, "-0123456789")
	return cmp.Or(strings.Trim(name[:min(len(name), 63)], "-"), "service")
}

// lastWord leaves out the version at the end of a module's path.
func lastWord(module string) string {
	words := strings.Split(module, "/")
	last := words[len(words)-1]
	if len(words) > 1 && len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
		last = words[len(words)-2]
	}
	return last
}

// mainPackage is where the program is: the one that is written, this directory, or the only one under cmd. Otherwise nobody knows.
func (p *Plan) mainPackage() string {
	for _, f := range p.files {
		if dir, ok := strings.CutSuffix(f.name, "/main.go"); ok {
			return "./" + dir
		}
	}
	if p.isMain {
		return "."
	}
	if found, err := filepath.Glob(filepath.Join(globEscape(p.Dir), "cmd", "*", "main.go")); err == nil && len(found) == 1 {
		return "./cmd/" + filepath.Base(filepath.Dir(found[0]))
	}
	return ""
}

// livePath is the public route by which a platform asks whether the service lives.
func livePath(policy countersign.Policy) string {
	var public []string
	for _, route := range policy.Routes {
		if route.Rule.IsPublic() && (route.Method == "GET" || route.Method == "") && !strings.Contains(route.Path, "{") {
			public = append(public, route.Path)
		}
	}
	for _, path := range []string{"/livez", "/healthz", "/health", "/ping"} {
		if slices.Contains(public, path) {
			return path
		}
	}
	return ""
}

// scopesOf are the scopes that the rules ask for.
func scopesOf(policy countersign.Policy) []string {
	var all []string
	for _, route := range policy.Routes {
		for _, alternative := range route.Rule.Alternatives() {
			all = append(all, alternative...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// clientName is reader for orders.read, where there is one such scope, and orders-read otherwise.
func clientName(scope string, all []string) string {
	names := map[string]string{"read": "reader", "write": "writer"}
	_, verb, _ := strings.Cut(scope, ".")
	count := 0
	for _, other := range all {
		if _, same, _ := strings.Cut(other, "."); same == verb {
			count++
		}
	}
	if name := names[verb]; name != "" && count == 1 {
		return name
	}
	return strings.Trim(strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, scope), "-")
}
