package document

import (
	"strconv"
	"strings"
	"unicode"
)

// maxQuoted bounds what an error repeats of a document, in characters.
const maxQuoted = 80

// Quote writes a stranger's text for an error: on one line, short, and without a character that a terminal obeys.
func Quote(s string) string { return strconv.Quote(short(s)) }

// Plain is Quote without the quotes: a character that would not be printed is a question mark.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, short(s))
}

func short(s string) string {
	if chars := []rune(s); len(chars) > maxQuoted {
		return string(chars[:maxQuoted]) + "…"
	}
	return s
}
