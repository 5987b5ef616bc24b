package jose

import (
	"bytes"
	"errors"
	"hash/maphash"
	"unicode/utf8"
)

// Bounds of every document that this package reads. They are far above what an issuer sends, and they are
// checked before anything is allocated.
const (
	maxDepth   = 16  // nested objects and arrays
	maxMembers = 256 // members of the objects that are open at one moment
)

// Errors of the JSON reader. They name the rule and never the input.
var (
	errSyntax    = errors.New("jose: not a JSON object")
	errTrailing  = errors.New("jose: bytes after the JSON object")
	errDuplicate = errors.New("jose: a JSON member name appears twice")
	errDepth     = errors.New("jose: JSON is nested too deep")
	errMembers   = errors.New("jose: JSON has too many members")
	errUTF8      = errors.New("jose: JSON is not UTF-8")
)

// Object walks the members of one JSON object. encoding/json is not used for tokens, because it matches
// names without regard to case (a claim SCOPE or ſcope would be read as scope), lets the last of two
// members win, and allocates in proportion to what an attacker sends. Object matches exactly, refuses
// duplicates and lone surrogates (RFC 7493, Section 2), and allocates only for names with escapes.
//
// The text is checked whole: Err is nil only after Next has returned false at the end of the document.
// Nothing that Name and Value gave may be believed before.
type Object struct {
	text    []byte
	pos     int
	started bool
	done    bool
	shallow bool // do not refuse duplicates in nested objects: each of them is read on its own later
	err     error

	name  []byte
	value Value

	// names holds the names of all objects that are open, innermost last; an object's own start at base.
	names [maxMembers]name
	count int
}

// nameSeed keeps a sender from choosing names whose hashes collide, each of which would cost a comparison.
var nameSeed = maphash.MakeSeed()

// name is where a member name stands, with a hash that makes nearly every comparison one instruction.
type name struct {
	start, end int32
	hash       uint32
	escaped    bool
}

// ReadObject starts to read text, which must be one JSON object and nothing else. What Name and Value give are parts of
// text: who keeps them longer than text copies them.
//
// RFC 7515, Section 4, and RFC 7519, Section 4: member names must be unique, and a reader may refuse
// the others. This one does, at every level.
func ReadObject(text []byte) Object { return Object{text: text} }

// Next moves to the next member. It returns false at the end and at the first error.
func (o *Object) Next() bool {
	if o.done || o.err != nil {
		return false
	}
	if !o.started {
		o.started = true
		if !utf8.Valid(o.text) {
			// RFC 8725, Section 3.7: UTF-8 and nothing else.
			return o.fail(errUTF8)
		}
		o.space()
		if !o.take('{') {
			return o.fail(errSyntax)
		}
		if o.space(); o.take('}') {
			return o.end()
		}
	} else {
		if o.space(); o.take('}') {
			return o.end()
		}
		if !o.take(',') {
			return o.fail(errSyntax)
		}
		o.space()
	}
	return o.member()
}

// Name is the name of the current member, without escapes.
func (o *Object) Name() []byte { return o.name }

// Value is the value of the current member.
func (o *Object) Value() Value { return o.value }

// Err is the first error, or nil when the whole document was read and is sound.
func (o *Object) Err() error {
	if o.err == nil && !o.done {
		return errSyntax
	}
	return o.err
}

func (o *Object) member() bool {
	text, ok := o.memberName(0)
	if !ok {
		return false
	}
	start := o.pos
	if !o.skip(1) {
		return false
	}
	o.name, o.value = text, Value{o.text[start:o.pos]}
	return true
}

func (o *Object) end() bool {
	o.space()
	if o.pos != len(o.text) {
		return o.fail(errTrailing)
	}
	o.done = true
	return false
}

func (o *Object) fail(err error) bool {
	o.err = err
	return false
}

// memberName reads a name and the colon after it, and refuses a name that its object, whose names start
// at base, has already.
func (o *Object) memberName(base int) ([]byte, bool) {
	if o.count == maxMembers {
		return nil, o.fail(errMembers)
	}
	start := o.pos + 1
	escaped, ok := o.quoted()
	if !ok {
		return nil, o.fail(errSyntax)
	}
	text := unescape(o.text[start:o.pos-1], escaped)
	n := name{int32(start), int32(o.pos - 1), uint32(maphash.Bytes(nameSeed, text)), escaped}
	if base >= 0 {
		for i := range o.names[base:o.count] {
			if other := &o.names[base+i]; other.hash == n.hash && bytes.Equal(unescape(o.text[other.start:other.end], other.escaped), text) {
				return nil, o.fail(errDuplicate)
			}
		}
	}
	o.names[o.count] = n
	o.count++
	if o.space(); !o.take(':') {
		return nil, o.fail(errSyntax)
	}
	o.space()
	return text, true
}

// skip passes one value and checks it on the way.
func (o *Object) skip(depth int) bool {
	if o.pos == len(o.text) {
		return o.fail(errSyntax)
	}
	ok := false
	switch o.text[o.pos] {
	case '{':
		return o.skipObject(depth)
	case '[':
		return o.skipArray(depth)
	case '"':
		_, ok = o.quoted()
	case 't':
		ok = o.word("true")
	case 'f':
		ok = o.word("false")
	case 'n':
		ok = o.word("null")
	default:
		ok = o.number()
	}
	if !ok {
		return o.fail(errSyntax)
	}
	return true
}

func (o *Object) skipObject(depth int) bool {
	if depth == maxDepth {
		return o.fail(errDepth)
	}
	base := o.count
	unique := base
	if o.shallow {
		unique = -1
	}
	o.pos++
	if o.space(); o.take('}') {
		return true
	}
	for {
		if _, ok := o.memberName(unique); !ok || !o.skip(depth+1) {
			return false
		}
		if o.shallow {
			o.count = base
		}
		if o.space(); o.take('}') {
			o.count = base
			return true
		}
		if !o.take(',') {
			return o.fail(errSyntax)
		}
		o.space()
	}
}

func (o *Object) skipArray(depth int) bool {
	if depth == maxDepth {
		return o.fail(errDepth)
	}
	o.pos++
	if o.space(); o.take(']') {
		return true
	}
	for {
		if !o.skip(depth + 1) {
			return false
		}
		if o.space(); o.take(']') {
			return true
		}
		if !o.take(',') {
			return o.fail(errSyntax)
		}
		o.space()
	}
}

func (o *Object) take(c byte) bool {
	if o.pos < len(o.text) && o.text[o.pos] == c {
		o.pos++
		return true
	}
	return false
}

// space skips the four white space characters of RFC 8259, Section 2. Issuers write none.
func (o *Object) space() {
	if o.pos < len(o.text) && o.text[o.pos] <= ' ' {
		o.skipSpace()
	}
}

func (o *Object) skipSpace() {
	for o.pos < len(o.text) {
		switch o.text[o.pos] {
		case ' ', '\t', '\n', '\r':
			o.pos++
		default:
			return
		}
	}
}

func (o *Object) word(w string) bool {
	if len(o.text)-o.pos < len(w) || string(o.text[o.pos:o.pos+len(w)]) != w {
		return false
	}
	o.pos += len(w)
	return true
}

// number passes one number of RFC 8259, Section 6: no leading zero, no plus sign, no bare point.
func (o *Object) number() bool {
	o.take('-')
	if !o.take('0') && !o.digits() {
		return false
	}
	if o.take('.') && !o.digits() {
		return false
	}
	if o.take('e') || o.take('E') {
		if !o.take('+') {
			o.take('-')
		}
		return o.digits()
	}
	return true
}

func (o *Object) digits() bool {
	start := o.pos
	for o.pos < len(o.text) && o.text[o.pos]-'0' <= 9 {
		o.pos++
	}
	return o.pos > start
}
