package openapi

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// The bounds of what is made for a pattern.
const (
	maxPattern = 1000 // characters of the pattern
	maxMatch   = 4096 // bytes of the match
)

// matching makes a text that matches a pattern and has at least so many bytes. It knows what Go's regexp knows: JSON Schema's
// patterns are ECMA-262's, and one with a look-ahead has no match here.
func matching(pattern string, least int) (string, bool) {
	if len(pattern) > maxPattern || least > maxMatch {
		return "", false
	}
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return "", false
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	// More of what may be repeated makes a longer text.
	for _, more := range []int{0, 1, 2, 4, 8, 16, 36, 64, 256, 1024} {
		m := matcher{more: more}
		m.write(tree)
		text := m.out.String()
		if len(text) > maxMatch {
			break
		}
		if len(text) >= max(least, 1) && compiled.MatchString(text) {
			return text, true
		}
	}
	return "", false
}

type matcher struct {
	out  strings.Builder
	more int
}

func (m *matcher) write(re *syntax.Regexp) {
	if m.out.Len() > maxMatch {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		m.out.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		m.out.WriteRune(plainest(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		m.out.WriteByte('a')
	case syntax.OpStar:
		m.repeat(re.Sub[0], m.more)
	case syntax.OpPlus:
		m.repeat(re.Sub[0], max(1, m.more))
	case syntax.OpQuest:
		m.repeat(re.Sub[0], min(1, m.more))
	case syntax.OpRepeat:
		count := max(re.Min, m.more)
		if re.Max >= 0 {
			count = min(count, re.Max)
		}
		m.repeat(re.Sub[0], count)
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			m.write(sub)
		}
	case syntax.OpAlternate:
		m.write(re.Sub[0])
	}
}

func (m *matcher) repeat(re *syntax.Regexp, count int) {
	for range count {
		m.write(re)
	}
}

// plainest is a character of a class, given as pairs of bounds: one that needs no escaping anywhere, if there is one.
func plainest(class []rune) rune {
	for _, c := range "a1Ab2Bcdefghijklmnopqrstuvwxyz03456789CDEFGHIJKLMNOPQRSTUVWXYZ-_" {
		for i := 0; i+1 < len(class); i += 2 {
			if class[i] <= c && c <= class[i+1] {
				return c
			}
		}
	}
	if len(class) == 0 {
		return 'a' // an empty class: nothing matches
	}
	return class[0]
}
