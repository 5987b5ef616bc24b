package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Kind is what a value is, in the words of RFC 8259, Section 3.
type Kind int

// The kinds of a [Node].
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// String is the kind with its article, as an error names it.
func (k Kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// Node is one value. An alias of YAML is the same Node again: the tree may share its branches, and never has a cycle.
type Node struct {
	Place Place
	Kind  Kind
	// Text is the value of a String, and a Bool or a Number as JSON writes it.
	Text    string
	Items   []*Node  // of an Array
	Members []Member // of an Object, in the order of the text

	height int // how deep it is itself
}

func (n *Node) append(child *Node) {
	n.height = max(n.height, child.height+1)
	n.Items = append(n.Items, child)
}

func (n *Node) appendMember(m Member) {
	n.height = max(n.height, m.Value.height+1)
	n.Members = append(n.Members, m)
}

// Member is one member of an Object.
type Member struct {
	Name  string
	Place Place // of the name
	Value *Node
}

// Get returns the value of a member of an Object, and nil if there is none.
func (n *Node) Get(name string) *Node {
	if n == nil {
		return nil
	}
	for _, m := range n.Members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// JSON writes the value as JSON without spaces. It is an error if that takes more than limit bytes: branches that are
// shared are written each time.
func (n *Node) JSON(limit int) ([]byte, error) {
	w := writer{limit: limit}
	w.value(n)
	if w.out.Len() > limit {
		return nil, n.Place.Errorf("the value is longer than %d bytes as JSON", limit)
	}
	return w.out.Bytes(), nil
}

type writer struct {
	out   bytes.Buffer
	limit int
}

func (w *writer) value(n *Node) {
	if w.out.Len() > w.limit {
		return
	}
	switch n.Kind {
	case Null:
		w.out.WriteString("null")
	case Bool, Number:
		w.out.WriteString(n.Text)
	case String:
		w.text(n.Text)
	case Array:
		w.out.WriteByte('[')
		for i, item := range n.Items {
			w.out.WriteString(strings.Repeat(",", min(i, 1)))
			w.value(item)
		}
		w.out.WriteByte(']')
	case Object:
		w.out.WriteByte('{')
		for i, m := range n.Members {
			w.out.WriteString(strings.Repeat(",", min(i, 1)))
			w.text(m.Name)
			w.out.WriteByte(':')
			w.value(m.Value)
		}
		w.out.WriteByte('}')
	}
}

func (w *writer) text(s string) {
	b, err := json.Marshal(s)
	if err != nil {
		panic("document: a string that is no JSON: " + err.Error()) // json.Marshal writes every string
	}
	w.out.Write(b)
}

// Place is where a value stands. Lines and columns begin with 1; a column is a character, whatever its bytes.
type Place struct {
	File         string
	Line, Column int
}

// String is the place as compilers print it, "openapi.yaml:12:5".
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Errorf returns an [*Error] at the place.
func (p Place) Errorf(format string, args ...any) error {
	return &Error{Place: p, Text: fmt.Sprintf(format, args...)}
}

// Error says what is wrong with a document, and where.
type Error struct {
	Place Place
	Text  string
}

// Error implements the error interface.
func (e *Error) Error() string { return e.Place.String() + ": " + e.Text }
