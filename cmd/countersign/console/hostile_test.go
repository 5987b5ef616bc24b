package console_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/console"
)

func TestHostileNamesStayText(t *testing.T) {
	hostile(t, seedView)
	hostile(t, wideView)
}

func hostile(t *testing.T, seed func() console.View) {
	t.Helper()
	want := structure(t, seed())
	for _, evil := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style><script>`, `'--></title>`, `&lt;b&gt;`,
		`javascript:alert(1)`, "a\u202egnp.exe", "a\x00b\x1b[31m", `{{.Issuer}}`, "`id`$(id)'\"\\\n", `]]>`, `</code></pre>`,
	} {
		v := seed()
		// The resource stays, because what is equal to it decides about a tag.
		v.PoolID, v.PoolName, v.Domain = evil, evil, ""
		v.Addresses[0] = console.Address{Name: evil, URL: evil}
		v.Clients[0].ID, v.Clients[0].Name, v.Clients[0].Scopes[0], v.Clients[0].Flows[1] = evil, evil, evil, evil
		v.Routes[0].Method, v.Routes[0].Host, v.Routes[0].Path, v.Routes[0].Rule, v.Routes[0].Source = evil, evil, evil, evil, evil
		v.Routes[0].Cells[0].Detail = evil
		v.ResourceServers[0].Name, v.ResourceServers[0].Scopes[0] = evil, console.Scope{Name: evil, Description: evil}
		v.Proof.Target, v.Proof.Rows[0] = evil, console.ProofRow{Route: evil, Case: evil, Want: evil, Got: evil, OK: true}
		if got := structure(t, v); got != want {
			t.Errorf("%q changed the page", evil)
		}
		body, page := served(t, v)
		if strings.ContainsAny(body, "\u202e\x00\x1b") {
			t.Errorf("%q: a character that nobody sees is on the page", evil)
		}
		if !strings.Contains(page.text, strings.Split(strings.Split(evil, "\u202e")[0], "\x00")[0][:1]) {
			t.Errorf("%q is not on the page", evil)
		}
	}
	v := seed()
	v.Issuer = "javascript:alert(1)"
	_, page := served(t, v)
	for _, a := range page.all("a") {
		if strings.HasPrefix(a.attrs["href"], "javascript:") {
			t.Errorf("link to %s", a.attrs["href"])
		}
	}
}

// structure is the page without its text: elements and the names of their attributes.
func structure(t *testing.T, v console.View) string {
	_, page := served(t, v)
	var b strings.Builder
	var walk func(e *element)
	walk = func(e *element) {
		b.WriteString("<" + e.name)
		for _, name := range []string{"class", "id", "href", "src", "scope", "open", "title", "onerror", "style"} {
			if _, ok := e.attrs[name]; ok {
				b.WriteString(" " + name)
			}
		}
		b.WriteString(">")
		for _, c := range e.children {
			walk(c)
		}
		b.WriteString("</>")
	}
	walk(page)
	return b.String()
}

// The commands are there to be pasted, and the names in them are other people's.
func TestCommandsAreSafeToPaste(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, evil := range []string{"$(echo pwned)", "`echo pwned`", "a'b", `a"b`, "a; echo pwned", "a\necho pwned", "a b", `a\`, "-x", "*", "~", "#", "a&b"} {
		v := seedView()
		v.TokenEndpoint, v.StateFlag = evil, evil
		v.Clients[0].Name, v.Clients[0].Scopes[0] = evil, evil
		_, page := served(t, v)
		for _, pre := range page.all("pre") {
			// Every program is replaced by one that prints its arguments, a line each.
			script := "curl() { printf '%s\\n' \"$@\"; }; countersign() { curl \"$@\"; }; CLIENT_CREDENTIALS=x\n" + pre.text
			cmd := exec.Command(sh, "-c", script)
			cmd.Dir = t.TempDir()
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%q: %v\n%s", evil, err, out)
			}
			shown := strings.ReplaceAll(evil, "\n", `\u000a`)
			lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
			want := []string{"-s", shown, "-H", "@-", "-d", "grant_type=client_credentials", "--data-urlencode", "scope=" + shown}
			if lines[0] == "token" {
				want = []string{"token", "--client", shown, "--state", shown}
			}
			if strings.Join(lines, "|") != strings.Join(want, "|") {
				t.Errorf("%q: the shell read %q", evil, lines)
			}
		}
	}
}
