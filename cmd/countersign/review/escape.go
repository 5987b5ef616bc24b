package review

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A policy file comes from whoever opened the pull request. What it holds is shown to people and read by machines in a job that may
// have rights; so each format escapes in one place, here.

// visible writes what a terminal would act upon, or hide, as Go writes it in a string: a file cannot move the cursor over a line,
// nor turn the direction of one.
func visible(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, hidden) {
		return s
	}
	var out strings.Builder
	for _, c := range s {
		if hidden(c) {
			quoted := strconv.QuoteRuneToASCII(c)
			out.WriteString(quoted[1 : len(quoted)-1])
		} else {
			out.WriteRune(c)
		}
	}
	return out.String()
}

// hidden says whether a character shows nothing of itself. The no-break and the wide spaces are among them: two patterns that look
// alike are not alike.
func hidden(c rune) bool { return c != ' ' && !unicode.IsPrint(c) }

// code writes s as a code span of GitHub's Markdown within a table: no mention, link, image or tag comes to life in it.
func code(s string) string {
	s = visible(s)
	// CommonMark 0.31, Section 6.1: the span ends at a run of as many backticks as it began with.
	longest, run := 0, 0
	for _, c := range s {
		if c != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	pad := ""
	if s == "" || strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.TrimSpace(s) != s {
		pad = " "
	}
	// GitHub Flavored Markdown, Section 4.10: a pipe ends the cell, in a code span too, unless it is escaped.
	return fence + pad + strings.ReplaceAll(s, "|", `\|`) + pad + fence
}

// GitHub's runner undoes these escapes, and takes a line that begins with :: for a command: what is not escaped could begin another one.
var (
	annotationText     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	annotationProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// artifactURI writes a path as SARIF wants it: a relative reference (SARIF 2.1.0, Section 3.4.3; RFC 3986, Section 4.2).
func artifactURI(path string) string { return (&url.URL{Path: path}).String() }
