package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// maxUpload bounds what one upload may hold, in bytes.
const maxUpload = 64 << 10

// values is a JSON object of strings.
type values map[string]string

// String prints the values sorted by name, in the form {a=b, c=d}.
func (v values) String() string {
	pairs := make([]string, 0, len(v))
	for _, name := range slices.Sorted(maps.Keys(v)) {
		pairs = append(pairs, name+"="+v[name])
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

// readValues reads the body as one JSON object of strings. Its errors are written for the person who sent the body.
func readValues(w http.ResponseWriter, r *http.Request) (values, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, errors.New("the Content-Type must be application/json")
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxUpload))
	if token, err := dec.Token(); err != nil {
		return nil, explain(err)
	} else if token != json.Delim('{') {
		return nil, errors.New("the body must be a JSON object of strings")
	}
	v := values{}
	for dec.More() {
		if err := v.readMember(dec); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, explain(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("the body must end after the JSON object")
	}
	return v, nil
}

func (v values) readMember(dec *json.Decoder) error {
	token, err := dec.Token()
	if err != nil {
		return explain(err)
	}
	name := token.(string) // within an object the decoder returns a member's name as a string, or an error
	if _, twice := v[name]; twice {
		return fmt.Errorf("the member %q stands twice", name)
	}
	value, err := dec.Token()
	if err != nil {
		return explain(err)
	}
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("the member %q must be a string", name)
	}
	v[name] = text
	return nil
}

func explain(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fmt.Errorf("the body is over %d bytes", tooLarge.Limit)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the body ends before the JSON object does")
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("the body is not JSON: %w", syntax)
	}
	return errors.New("the body could not be read")
}
