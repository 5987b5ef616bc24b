package peers

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// reading is what is in a token, read without the library and as generously as anybody could: it says what a verifier saw, and never
// whether it was right to accept it.
type reading struct {
	token          string
	parts          []string
	header, claims document
}

func readToken(token string) reading {
	r := reading{token: token, parts: strings.Split(token, ".")}
	if len(r.parts) >= 2 {
		r.header, r.claims = readDocument(r.parts[0]), readDocument(r.parts[1])
	}
	return r
}

// issuer is iss, and empty when it is none.
func (r reading) issuer() string {
	s, _ := r.claims.last("iss").(string)
	return s
}

// document is one JSON document of a token.
type document struct {
	text       string
	members    map[string][]any // of the outermost object, by exact name; numbers are json.Number
	isObject   bool             // encoding/json reads it as an object, and nothing behind it
	duplicates bool             // in any of its objects
	hugeNumber bool             // one that a float64 cannot hold
	count      int              // of member names
	depth      int              // of its objects and arrays, empty ones included; what is in no other is at 0
}

var generous = strings.NewReplacer("\r", "", "\n", "", "=", "", "+", "-", "/", "_")

func readDocument(part string) document {
	b, err := base64.RawURLEncoding.DecodeString(generous.Replace(part))
	d := document{text: string(b), members: map[string][]any{}}
	if err != nil {
		return d
	}
	dec := json.NewDecoder(strings.NewReader(d.text))
	dec.UseNumber()
	top, err := d.value(dec, 0)
	object, isObject := top.(map[string][]any)
	if err != nil || !isObject {
		return d
	}
	_, err = dec.Token()
	d.members, d.isObject = object, err == io.EOF
	return d
}

// value reads the next value. Objects are map[string][]any, with all the values of a name.
func (d *document) value(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	if _, nests := token.(json.Delim); nests {
		d.depth = max(d.depth, depth)
	}
	switch token {
	case json.Delim('{'):
		object := map[string][]any{}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			v, err := d.value(dec, depth+1)
			if err != nil {
				return nil, err
			}
			d.count++
			d.duplicates = d.duplicates || object[name.(string)] != nil
			object[name.(string)] = append(object[name.(string)], v)
		}
		_, err := dec.Token()
		return object, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := d.value(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := dec.Token()
		return list, err
	}
	if n, ok := token.(json.Number); ok {
		_, err := n.Float64()
		d.hugeNumber = d.hugeNumber || err != nil
	}
	return token, nil
}

// has reports whether the outermost object has a member of exactly this name.
func (d document) has(name string) bool { return len(d.members[name]) > 0 }

// last is the value of the last member of the name, which is the one that most readers take; nil when there is none.
func (d document) last(name string) any {
	if values := d.members[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return nil
}

var (
	escapedBackslash = regexp.MustCompile(`\\\\`)
	surrogatePair    = regexp.MustCompile(`(?i)\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}`)
	surrogate        = regexp.MustCompile(`(?i)\\ud[89a-f][0-9a-f]{2}`)
)

// unicode reports whether the document is UTF-8 without lone surrogates.
func (d document) unicode() bool {
	rest := surrogatePair.ReplaceAllString(escapedBackslash.ReplaceAllString(d.text, " "), "")
	return utf8.ValidString(d.text) && !surrogate.MatchString(rest)
}

// strictBase64 reports whether every part is base64url without padding, line ends and spare bits.
func (r reading) strictBase64() bool {
	for _, part := range r.parts {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return false
		}
	}
	return true
}

// seconds is a NumericDate, and NaN for anything that is no number.
func seconds(v any) float64 {
	n, ok := v.(json.Number)
	if !ok {
		return math.NaN()
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return math.Inf(1)
	}
	return f
}
