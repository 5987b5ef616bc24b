// Package escape writes text that came from elsewhere into what people and machines read: terminals, Markdown of GitHub, workflow
// commands and URI references.
//
// A policy file comes from whoever opened the pull request, and an answer from whoever runs the service. What they hold is shown to
// people and read by machines in a job that may have rights; so each form escapes in one place, here. Start with [Visible], which the
// other forms begin with.
package escape

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible writes what a terminal would act upon, or hide, as Go writes it in a string: a text cannot move the cursor over a line,
// nor turn the direction of one. What it returns is also valid in XML 1.0 and in JSON.
func Visible(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, Hidden) {
		return s
	}
	var out strings.Builder
	for _, c := range s {
		if Hidden(c) {
			quoted := strconv.QuoteRuneToASCII(c)
			out.WriteString(quoted[1 : len(quoted)-1])
		} else {
			out.WriteRune(c)
		}
	}
	return out.String()
}

// Hidden says whether a character shows nothing of itself. The no-break and the wide spaces are among them: two patterns that look
// alike are not alike.
func Hidden(c rune) bool { return c != ' ' && !unicode.IsPrint(c) }

// Code writes s as a code span of GitHub's Markdown within a table: no mention, link, image or tag comes to life in it.
func Code(s string) string {
	s = Visible(s)
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

// Path writes a path as a relative reference (RFC 3986, Section 4.2), as SARIF wants it (SARIF 2.1.0, Section 3.4.3).
func Path(path string) string { return (&url.URL{Path: path}).String() }
