package prove

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// Example is what the requests of one route are made of, beside their token. The zero value names nothing in particular:
// every wildcard is "1", and what must be admitted brings {} where the method has a body.
type Example struct {
	// Values are for the wildcards of the route, by name; they come before those of [Config.Values].
	Values map[string]string
	// Made says that the values were made up, from a schema for one, and name nothing that exists. The right caller may then be told
	// 404: it is the handler's answer if the same address was refused without the token.
	Made bool
	// Query is the raw query, and Header the further fields, of every request of the route. Authorization and Cookie are none
	// of them: they are what is proved.
	Query  string
	Header http.Header
	// Body is sent with what must be admitted, and ContentType is its media type; empty is application/json.
	Body        []byte
	ContentType string
	// Success are the media types that a 2xx answer may have, such as application/json, text/* or */*. Nil is not asked.
	Success []string
}

// validate names the route, and nothing of the example's values: a header may well hold a secret.
func (e Example) validate(pattern string, problem func(format string, args ...any)) {
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie", probeHeader} {
		if slices.ContainsFunc(headerNames(e.Header), func(given string) bool { return strings.EqualFold(given, name) }) {
			problem("Examples[%q].Header has %s, which is what is proved", pattern, name)
		}
	}
	for _, want := range e.Success {
		if _, _, err := mime.ParseMediaType(want); err != nil {
			problem("Examples[%q].Success has %q, which is no media type", pattern, want)
		}
	}
}

func headerNames(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	return names
}

// undocumented is what is wrong with the media type of an admitted answer; empty when nothing is.
func (e Example) undocumented(res *http.Response) string {
	// RFC 9110, Sections 9.3.2, 15.3.5 and 15.4.5: no content follows HEAD, 204 and 304. An answer without a body has no type.
	if e.Success == nil || res.StatusCode < 200 || res.StatusCode > 299 || res.ContentLength == 0 {
		return ""
	}
	got := res.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(got)
	if err != nil {
		media = "no media type"
	}
	for _, want := range e.Success {
		if inRange(media, want) {
			return ""
		}
	}
	return fmt.Sprintf("answers %s, documented is %s", media, strings.Join(e.Success, " or "))
}

// inRange says whether a media type is one of a range (RFC 9110, Section 12.5.1). Parameters such as charset do not count.
func inRange(media, want string) bool {
	want, _, err := mime.ParseMediaType(want)
	if err != nil {
		return false
	}
	all, wild := strings.CutSuffix(want, "/*")
	if !wild {
		return media == want
	}
	return strings.Contains(media, "/") && (all == "*" || strings.HasPrefix(media, all+"/"))
}
