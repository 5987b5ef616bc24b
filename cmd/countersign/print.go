package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/term"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/prove"
)

// tableFor suits the table to where it goes: colours for a terminal whose owner has not set NO_COLOR, and signs beyond
// ASCII unless the locale has none.
func tableFor(w io.Writer, all bool) prove.Table {
	file, isFile := w.(*os.File)
	return prove.Table{
		Color: isFile && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		ASCII: !isUTF8(),
		All:   all,
	}
}

// isUTF8 reads the locale as POSIX does: LC_ALL before LC_CTYPE before LANG. Without any of them a terminal of today is one
// that knows UTF-8.
func isUTF8() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := os.Getenv(name); locale != "" {
			locale = strings.ToUpper(locale)
			return strings.Contains(locale, "UTF-8") || strings.Contains(locale, "UTF8")
		}
	}
	return true
}

// encodeIndented writes a result as JSON. It is read in terminals, where \u003c for < would be a nuisance, and never within HTML.
func encodeIndented(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(value)
}

// printSystem says where everything is, and what the service is, if it is no demo.
func printSystem(w io.Writer, r dev.Running, app *dev.App) {
	fmt.Fprintf(w, `countersign dev

  API      %s
  edge     %s   (curl --cacert %s)
  issuer   %s
  console  %s
`, r.APIURL, r.EdgeURL, shellWord(r.EdgeCA), r.Issuer, r.AWSURL)
	if app != nil {
		fmt.Fprintf(w, "  service  %s\n", app)
	}
	fmt.Fprintln(w)
}

// printNext says what to type next.
func printNext(w io.Writer, r dev.Running, app *dev.App, policy countersign.Policy, state string) {
	flag := ""
	if state != "" {
		flag = " --state " + shellWord(state)
	}
	call := ""
	switch {
	case r.Demo:
		call = fmt.Sprintf("  curl -H \"Authorization: Bearer $(%s token --client readClient%s)\" $API_URL/api/demo/protectedRole/me\n", program(os.Args[0]), flag)
	default:
		if app.OwnStart {
			call = startLine(app, r)
		}
		if client, path := firstCall(app.Config, policy); client != "" {
			call += fmt.Sprintf("  curl -H \"Authorization: Bearer $(%s token %s%s)\" $API_URL%s\n", program(os.Args[0]), shellWord(client), flag, shellWord(path))
		}
	}
	fmt.Fprintf(w, `
In another terminal:
  eval "$(%s env%s)"
%s
Ctrl-C stops it.
`, program(os.Args[0]), flag, call)
}

// startLine is how a user starts the service where dev does not.
func startLine(app *dev.App, r dev.Running) string {
	command := "your-service"
	if run := (dev.App{Config: app.Config}); run.Check() == nil {
		command = "go run " + shellWord(app.Config.Service.Main)
		if dir := app.Config.Dir(); dir != "." {
			command = "go -C " + shellWord(dir) + " run " + shellWord(app.Config.Service.Main)
		}
	}
	return fmt.Sprintf("  ADDR=%s %s    # yours to start, in a debugger for one\n", strings.TrimPrefix(r.APIURL, "http://"), command)
}

// wildcard matches a parameter of a pattern's path, and the end that takes the slash only.
var wildcard = regexp.MustCompile(`\{[^}]*\}`)

// firstCall is a GET request that a client of the file may make, for people to type: the client and the path. Both are empty where there is none.
func firstCall(c *config.Config, policy countersign.Policy) (client, path string) {
	for _, route := range policy.Routes {
		if route.Method != http.MethodGet && route.Method != "" || route.Host != "" || route.Path == "" {
			continue
		}
		path = wildcard.ReplaceAllString(strings.ReplaceAll(route.Path, "{$}", ""), "1")
		for _, need := range route.Rule.Needs() {
			for _, client := range c.Clients {
				lacks := func(scope string) bool {
					return !slices.ContainsFunc(client.Scopes, func(has string) bool { return c.Resource.Identifier+"/"+has == policy.FullScope(scope) })
				}
				if need.Client == "" && !slices.ContainsFunc(need.Scopes, lacks) {
					return client.Name, path
				}
			}
		}
	}
	return "", ""
}

// shellWord is the text as a shell reads it, in quotes where it needs them.
func shellWord(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return r > '~' || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_./", r)
	}) {
		return shellQuote(s)
	}
	return s
}

// goRun matches where go run puts an executable: a directory of its own, or Go's cache.
var goRun = regexp.MustCompile(`/go-build\d*/`)

// program is how this program is typed, after how it was: a name on the path, a file, or go run, whose executable is in a
// directory of its own that nobody types and that may be gone.
func program(arg0 string) string {
	switch {
	case goRun.MatchString(filepath.ToSlash(arg0)):
		return "go run " + goRunPackage()
	case filepath.Base(arg0) == arg0:
		return arg0
	}
	if absolute, err := filepath.Abs(arg0); err == nil {
		arg0 = absolute
	}
	return shellWord(arg0)
}

// goRunPackage is what go run takes for this program: a directory in a checkout's root, and elsewhere its path, as from a module that
// requires it, or go run with a version.
func goRunPackage() string {
	if _, err := os.Stat(filepath.Join("cmd", "countersign", "main.go")); err == nil {
		return "./cmd/countersign"
	}
	const path = "github.com/countersign-dev/countersign/cmd/countersign"
	if v := version(); strings.HasPrefix(v, "v") {
		return path + "@" + v
	}
	return path
}
