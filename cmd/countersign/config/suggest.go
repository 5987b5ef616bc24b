package config

import (
	"strings"
)

// meant guesses what an unknown key was to be.
func (r *reader) meant(key string, s *shape) string {
	keys := s.keysOf()
	if s.path == "" {
		keys = append(keys, environmentsKey)
	}
	if near := nearest(key, keys); near != "" {
		return "; did you mean " + near + "?"
	}
	if holders := root().holders(key); len(holders) > 0 {
		for i, holder := range holders {
			if holder == "" {
				holders[i] = "the file, at its left margin"
			}
		}
		return "; it belongs to " + strings.Join(holders, " or ")
	}
	if s.path == "" {
		return "; there are " + strings.Join(keys, ", ")
	}
	return "; " + s.path + " has " + strings.Join(keys, ", ")
}

// write says what to write in place of a word: the one that it resembles, or any of the words.
func write(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return "write " + near
	}
	switch len(known) {
	case 0:
		return "there is none"
	case 1:
		return "write " + known[0]
	}
	return "write one of " + strings.Join(known, ", ")
}

// nearest returns the known word that a slip of the finger makes the given one of, and "" if there is none.
func nearest(word string, known []string) string {
	if len(word) > 64 || len(known) > maxClients {
		return ""
	}
	best, least := "", max(1, len(word)/3)+1
	if len(word) < 3 {
		least = 0 // one letter in two may be anything
	}
	for _, candidate := range known {
		if plain(candidate) == plain(word) {
			return candidate
		}
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// plain is the word as somebody writes it who has another convention in mind: secrets_manager, CIDRs.
func plain(s string) string {
	s = strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
	return strings.TrimSuffix(s, "s")
}

// distance counts the letters that are put in, taken away, changed or swapped with their neighbour (Damerau and Levenshtein).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(x)][len(y)]
}
