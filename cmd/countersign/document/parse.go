package document

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// The bounds of a document. The largest API descriptions that are published have some 12 MiB and 400,000 values.
const (
	MaxSize  = 16 << 20 // bytes
	maxDepth = 100
	maxNodes = 2_000_000
)

// Parse reads a document. Name is the file's, for the places of its values, and tells YAML from JSON where the text does not.
// Errors are of type [*Error] and repeat no value of the text.
func Parse(name string, data []byte) (*Node, error) {
	n, twice, err := ParseAll(name, data)
	if err == nil && len(twice) > 0 {
		err = twice[0]
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

// ParseAll is Parse that goes on after a member that is there twice, for a reader that reports all mistakes at once: the tree has
// the first of the two, and twice says where the others stand.
func ParseAll(name string, data []byte) (n *Node, twice []error, err error) {
	start := Place{File: name}
	if len(data) > MaxSize {
		return nil, nil, start.Errorf("larger than %d MiB", MaxSize>>20)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // RFC 8259, Section 8.1: a parser may ignore a byte order mark
	if !utf8.Valid(data) {
		return nil, nil, start.Errorf("not UTF-8; save the file in that encoding")
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil, start.Errorf("the file is empty")
	}
	if isJSON(name, data) {
		return parseJSON(name, data)
	}
	return parseYAML(name, data)
}

// isJSON says which of the two the text is meant to be. JSON is YAML too, and yet it is not read as such: YAML has no surrogate
// pairs, so that an emoji that a JSON writer escaped would be an error.
func isJSON(name string, data []byte) bool {
	lower := strings.ToLower(name)
	switch first := bytes.TrimSpace(data)[0]; {
	case strings.HasSuffix(lower, ".json"):
		return true
	case first != '{' && first != '[':
		return false
	case strings.HasSuffix(lower, ".yaml") || strings.HasSuffix(lower, ".yml"):
		return json.Valid(data) // the flow style of YAML begins with the same character
	}
	return true
}

// counter bounds the values of a document.
type counter struct{ nodes int }

func (c *counter) add(p Place, depth int) error {
	if depth > maxDepth {
		return p.Errorf("nested more than %d deep", maxDepth)
	}
	if c.nodes++; c.nodes > maxNodes {
		return p.Errorf("more than %d values", maxNodes)
	}
	return nil
}

// uniqueNames remembers the members of one object.
type uniqueNames map[string]Place

// add reports whether the name is new; that it is not is noted in twice.
func (u uniqueNames) add(name string, p Place, twice *[]error) bool {
	if first, known := u[name]; known {
		*twice = append(*twice, p.Errorf("the member %s is there twice, first on line %d; keep one", Quote(name), first.Line))
		return false
	}
	u[name] = p
	return true
}
