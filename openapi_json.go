package countersign

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxJSONDepth bounds the recursion: a policy that OpenAPI wrote is 9 deep.
const maxJSONDepth = 64

// jsonNode is a JSON value that knows where it stands. encoding/json keeps the last of two equal members
// and drops what it does not know; a file that people review must do neither silently.
type jsonNode struct {
	pointer string // RFC 6901
	value   any    // nil, bool, json.Number, string, []*jsonNode or []jsonMember
}

type jsonMember struct {
	name string
	node *jsonNode
}

// parseJSONNode reads one JSON value and nothing after it.
func parseJSONNode(data []byte) (*jsonNode, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	n, err := readJSONNode(d, "", 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is text after the JSON value")
	}
	return n, nil
}

func readJSONNode(d *json.Decoder, pointer string, depth int) (*jsonNode, error) {
	if depth > maxJSONDepth {
		return nil, atPointer(pointer, "nested more than %d deep", maxJSONDepth)
	}
	token, err := d.Token()
	if err != nil {
		return nil, atPointer(pointer, "%s", jsonProblem(err))
	}
	switch token {
	case json.Delim('{'):
		return readJSONObject(d, pointer, depth)
	case json.Delim('['):
		return readJSONArray(d, pointer, depth)
	}
	return &jsonNode{pointer, token}, nil
}

func readJSONObject(d *json.Decoder, pointer string, depth int) (*jsonNode, error) {
	members := []jsonMember{}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, atPointer(pointer, "%s", jsonProblem(err))
		}
		name := token.(string) // the decoder refuses any other token here
		child := pointer + "/" + escapePointer.Replace(name)
		if seen[name] {
			// RFC 8259, Section 4: "The names within an object SHOULD be unique." A reviewer sees the first, a parser takes the last.
			return nil, atPointer(child, "the member is there twice")
		}
		seen[name] = true
		node, err := readJSONNode(d, child, depth+1)
		if err != nil {
			return nil, err
		}
		members = append(members, jsonMember{name, node})
	}
	if _, err := d.Token(); err != nil {
		return nil, atPointer(pointer, "%s", jsonProblem(err))
	}
	return &jsonNode{pointer, members}, nil
}

func readJSONArray(d *json.Decoder, pointer string, depth int) (*jsonNode, error) {
	elements := []*jsonNode{}
	for d.More() {
		node, err := readJSONNode(d, fmt.Sprintf("%s/%d", pointer, len(elements)), depth+1)
		if err != nil {
			return nil, err
		}
		elements = append(elements, node)
	}
	if _, err := d.Token(); err != nil {
		return nil, atPointer(pointer, "%s", jsonProblem(err))
	}
	return &jsonNode{pointer, elements}, nil
}

// RFC 6901, Section 3: '~' is written ~0 and '/' is written ~1.
var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

func jsonProblem(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "not JSON: the text ends too early"
	}
	return "not JSON: " + strings.TrimPrefix(err.Error(), "json: ")
}

// atPointer is an error with the place it is about.
func atPointer(pointer, format string, args ...any) error {
	if pointer == "" {
		pointer = "(the document)"
	}
	return fmt.Errorf("%s: %s", pointer, fmt.Sprintf(format, args...))
}

// object returns the members of an object.
func (n *jsonNode) object() ([]jsonMember, error) {
	if members, ok := n.value.([]jsonMember); ok {
		return members, nil
	}
	return nil, atPointer(n.pointer, "want an object, got %s", n.kind())
}

// array returns the elements of an array.
func (n *jsonNode) array() ([]*jsonNode, error) {
	if elements, ok := n.value.([]*jsonNode); ok {
		return elements, nil
	}
	return nil, atPointer(n.pointer, "want an array, got %s", n.kind())
}

// text returns a string that is not empty.
func (n *jsonNode) text() (string, error) {
	s, ok := n.value.(string)
	switch {
	case !ok:
		return "", atPointer(n.pointer, "want a string, got %s", n.kind())
	case s == "":
		return "", atPointer(n.pointer, "the string is empty")
	}
	return s, nil
}

func (n *jsonNode) kind() string {
	switch n.value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []*jsonNode:
		return "an array"
	}
	return "an object"
}
