package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// jsonReader makes nodes of encoding/json's tokens.
type jsonReader struct {
	counter
	name    string
	data    []byte
	decoder *json.Decoder
	cursor  cursor
	twice   []error
}

// cursor is a place in the text that only moves forward: to count columns from each line's begin would take quadratic time
// where the whole document is one line.
type cursor struct{ offset, line, column int }

func parseJSON(name string, data []byte) (*Node, []error, error) {
	r := &jsonReader{name: name, data: data, decoder: json.NewDecoder(bytes.NewReader(data)), cursor: cursor{0, 1, 1}}
	r.decoder.UseNumber()
	n, err := r.node(0)
	if err != nil {
		return nil, nil, err
	}
	if p := r.next(); r.cursor.offset < len(data) {
		return nil, nil, p.Errorf("there is text after the JSON value")
	}
	return n, r.twice, nil
}

// next moves to where the next token begins, and returns that place.
func (r *jsonReader) next() Place {
	offset := int(r.decoder.InputOffset())
	for offset < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[offset]) >= 0 {
		offset++
	}
	return r.at(offset)
}

func (r *jsonReader) at(offset int) Place {
	c := &r.cursor
	for c.offset < offset {
		char, size := utf8.DecodeRune(r.data[c.offset:])
		if c.column++; char == '\n' {
			c.line, c.column = c.line+1, 1
		}
		c.offset += size
	}
	return Place{File: r.name, Line: c.line, Column: c.column}
}

func (r *jsonReader) token() (json.Token, Place, error) {
	p := r.next()
	token, err := r.decoder.Token()
	if err == nil {
		return token, p, nil
	}
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, p, r.at(len(r.data)).Errorf("not JSON: the text ends too early")
	case errors.As(err, &syntax):
		p = r.at(max(int(syntax.Offset)-1, r.cursor.offset))
	}
	return nil, p, p.Errorf("not JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
}

func (r *jsonReader) node(depth int) (*Node, error) {
	token, p, err := r.token()
	if err != nil {
		return nil, err
	}
	if err := r.add(p, depth); err != nil {
		return nil, err
	}
	n := &Node{Place: p}
	switch token := token.(type) {
	case nil:
	case bool:
		n.Kind, n.Text = Bool, map[bool]string{true: "true", false: "false"}[token]
	case json.Number:
		n.Kind, n.Text = Number, token.String()
	case string:
		n.Kind, n.Text = String, token
	case json.Delim:
		if n.Kind = Array; token == '{' {
			n.Kind = Object
		}
		return n, r.children(n, depth)
	}
	return n, nil
}

func (r *jsonReader) children(n *Node, depth int) error {
	names := uniqueNames{}
	for r.decoder.More() {
		var m Member
		isNew := true
		if n.Kind == Object {
			token, p, err := r.token()
			if err != nil {
				return err
			}
			name, ok := token.(string)
			if !ok {
				return p.Errorf("not JSON: the name of a member is a string")
			}
			isNew = names.add(name, p, &r.twice)
			m.Name, m.Place = name, p
		}
		var err error
		if m.Value, err = r.node(depth + 1); err != nil {
			return err
		}
		switch {
		case n.Kind == Array:
			n.append(m.Value)
		case isNew:
			n.appendMember(m)
		}
	}
	_, _, err := r.token()
	return err
}
