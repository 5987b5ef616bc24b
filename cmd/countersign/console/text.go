package console

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// shown makes every character of a name visible. The template escapes what HTML means; what remains is text that lies: a
// right-to-left override lets the name of one client read as another's.
func shown(s string) string {
	if strings.IndexFunc(s, isHidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isHidden(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isHidden(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }

// short is a scope's name without the prefix of the service's own resource.
func short(resource, scope string) string {
	if name, ok := strings.CutPrefix(scope, resource+"/"); ok && resource != "" {
		return shown(name)
	}
	return shown(scope)
}

// life writes the life of a token in the largest unit that divides it.
func life(d time.Duration) string {
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if d >= u.unit && d%u.unit == 0 {
			return plural(int(d/u.unit), u.name)
		}
	}
	return d.String()
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// mark is the sign beside a verdict's word. It repeats what the word says, for the eye; the word is what counts.
func mark(v Verdict) string {
	switch v {
	case Allowed:
		return "✓"
	case Refused:
		return "✕"
	case Open:
		return "!"
	case Public:
		return "○"
	}
	return "–"
}

func outcomeMark(o Outcome) string {
	switch o {
	case Proved:
		return "✓"
	case Different:
		return "✕"
	case NotRun:
		return "?"
	}
	return "–"
}

func class(v Verdict) string { return strings.ReplaceAll(string(v), " ", "-") }

// tokenCommand is the token request of RFC 6749, Section 4.4.2, ready to be pasted. The header comes on standard input and not as an argument, which other users of a machine can read.
func tokenCommand(v View) string {
	lines := []string{
		`printf 'Authorization: Basic %s' "$` + cmp.Or(v.Example().Variable, "CLIENT_CREDENTIALS") + "\" |\n  curl -s " + quote(v.TokenEndpoint),
		"-H @-",
		"-d grant_type=client_credentials",
	}
	if scopes := v.Example().Scopes; len(scopes) > 0 {
		lines = append(lines, "--data-urlencode "+quote("scope="+scopes[0]))
	}
	return strings.Join(lines, " \\\n  ")
}

// programCommand is the same request with this program.
func programCommand(v View) string {
	command := "countersign token --client " + quote(v.Example().Name)
	if v.StateFlag != "" {
		command += " --state " + quote(v.StateFlag)
	}
	return command
}

// quote makes a shell read s as one word and nothing else. The names in it come from whoever called the API, and
// Cognito's own pattern for them allows $, ` and '.
func quote(s string) string {
	s = shown(s)
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !isWordRune(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func isWordRune(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || strings.ContainsRune("-_./:,@", r)
}
