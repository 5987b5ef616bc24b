package openapi

import (
	"bytes"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
	"github.com/countersign-dev/countersign/prove"
)

// boundary separates the parts of a multipart body. A fixed one makes two runs send the same.
const boundary = "countersign-example"

// isJSON says whether a media type is JSON (RFC 6839, Section 3.1: the suffix +json).
func isJSON(media string) bool {
	kind, _, err := mime.ParseMediaType(media)
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

// body makes the body of a request, in the media type that is easiest to get right. A document that has only types that cannot be made here
// leaves the request without one: whoever is admitted is told so by the service, and admitted all the same.
func (r *reader) body(e *prove.Example, n *document.Node) {
	content := n.Get("content")
	if !r.is(content, document.Object, "content") {
		return
	}
	for _, fits := range []func(kind string) bool{
		isJSON,
		func(kind string) bool { return kind == "application/x-www-form-urlencoded" },
		func(kind string) bool { return kind == "multipart/form-data" },
		func(kind string) bool { return strings.HasPrefix(kind, "text/") },
		func(string) bool { return true },
	} {
		for _, m := range content.Members {
			media := m.Name
			if media == "*/*" || media == "application/*" { // a range: JSON is in it
				media = "application/json"
			}
			kind, _, err := mime.ParseMediaType(media)
			if err != nil || !fits(kind) {
				continue
			}
			if r.write(e, kind, media, m.Value) {
				return
			}
		}
	}
	r.notef(n.Place, "no body is made for these media types; write an example")
}

func (r *reader) write(e *prove.Example, kind, media string, n *document.Node) bool {
	n = r.follow(n)
	value := r.example(n)
	given := value != nil
	if value == nil {
		if value = r.sample(n.Get("schema")); n.Get("schema") == nil {
			value = &document.Node{Place: n.Place, Kind: document.Object}
		}
	}
	var body []byte
	var err error
	switch {
	case isJSON(kind):
		// An example that is text may be the JSON itself: OpenAPI 3.1.0, Section 4.8.14.1, allows a string with the value in it.
		if value.Kind == document.String && given && strings.HasPrefix(strings.TrimSpace(value.Text), "{") {
			body = []byte(value.Text)
		} else {
			body, err = value.JSON(maxSample)
		}
	case kind == "application/x-www-form-urlencoded":
		form := url.Values{}
		addQuery(form, value, style{name: "form", explode: true}, "value")
		body = []byte(form.Encode())
	case kind == "multipart/form-data":
		media = kind + "; boundary=" + boundary
		body, err = multipartBody(value)
	case value.Kind == document.String && (given || strings.HasPrefix(kind, "text/") || kind == "application/octet-stream"):
		body = []byte(value.Text)
	default:
		return false
	}
	if err != nil || len(body) > maxSample || strings.ContainsAny(media, "\r\n*") {
		return false
	}
	if r.bodies += len(body); r.bodies > maxBodies {
		return false
	}
	e.ContentType, e.Body = media, body
	return true
}

func multipartBody(value *document.Node) ([]byte, error) {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	if err := w.SetBoundary(boundary); err != nil {
		return nil, err
	}
	words, pairs := wordsOf(value)
	for _, text := range words {
		pairs = append(pairs, [2]string{"value", text})
	}
	for _, pair := range pairs {
		if err := w.WriteField(pair[0], pair[1]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// success is the media types of all answers of the 2xx class. An answer without content has none, and then nothing can be said.
func (r *reader) success(responses *document.Node) []string {
	var types []string
	if !r.is(responses, document.Object, "responses") {
		return nil
	}
	for _, m := range responses.Members {
		if !strings.HasPrefix(m.Name, "2") {
			continue
		}
		content := r.follow(m.Value).Get("content")
		if content == nil || content.Kind != document.Object {
			continue
		}
		for _, media := range content.Members {
			kind, _, err := mime.ParseMediaType(media.Name)
			if err == nil && !slices.Contains(types, kind) {
				types = append(types, kind)
			}
		}
	}
	return types
}
