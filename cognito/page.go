package cognito

import (
	"encoding/base64"
	"slices"
	"strings"
)

// A pageRequest asks for the part of an ordered list that follows a token.
type pageRequest struct {
	operation string
	poolID    string
	max       int
	token     string
}

type page struct {
	keys []string
	next string
}

// pageOf cuts a page out of keys, which are sorted. The token holds the last key of the page before, not a position:
// what is created or deleted between two pages neither repeats nor hides another item.
func pageOf(r pageRequest, keys []string) (page, error) {
	start := 0
	if r.token != "" {
		after, ok := r.after()
		if !ok {
			return page{}, apiError(CodeInvalidParameter, "Invalid pagination token.")
		}
		i, found := slices.BinarySearch(keys, after)
		if start = i; found {
			start = i + 1
		}
	}
	keys = keys[start:]
	if r.max <= 0 || len(keys) <= r.max {
		return page{keys: keys}, nil
	}
	keys = keys[:r.max]
	return page{keys, r.encode(keys[r.max-1])}, nil
}

func (r pageRequest) prefix() string { return r.operation + "\x00" + r.poolID + "\x00" }

// encode makes an opaque token that serves only the list that it came from.
func (r pageRequest) encode(last string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(r.prefix() + last))
}

func (r pageRequest) after() (string, bool) {
	text, err := base64.RawURLEncoding.DecodeString(r.token)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix(string(text), r.prefix())
}
