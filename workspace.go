package countersign

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/countersign-dev/countersign/internal/jose"
)

// workspace is the memory in which one token is decoded: the token itself, and its decoded parts after it.
type workspace struct{ buf []byte }

var workspaces = sync.Pool{New: func() any { return &workspace{make([]byte, 0, 4<<10)} }}

func borrow(token string) *workspace {
	w := workspaces.Get().(*workspace)
	w.buf = append(w.buf[:0], token...)
	return w
}

// giveBack wipes the token: the next one to borrow decodes another caller's.
func (w *workspace) giveBack() {
	clear(w.buf)
	workspaces.Put(w)
}

// decode decodes n bytes of the token from start on.
func (w *workspace) decode(start, n int) ([]byte, bool) {
	end := len(w.buf)
	var ok bool
	w.buf, ok = jose.AppendDecode(w.buf, w.buf[start:start+n])
	return w.buf[end:], ok
}

// headerCache remembers the parsed headers of tokens that were verified. An issuer writes the same header into every
// token of a key, so that nearly every header is here; a sender cannot add to it.
type headerCache struct {
	known atomic.Pointer[map[string]jose.Header]
}

// maxHeaders bounds the cache: an issuer has two or three keys at a time.
const maxHeaders = 16

func (c *headerCache) get(encoded string) (jose.Header, bool) {
	known := c.known.Load()
	if known == nil {
		return jose.Header{}, false
	}
	h, ok := (*known)[encoded]
	return h, ok
}

func (c *headerCache) put(encoded string, h jose.Header) {
	if _, ok := c.get(encoded); !ok {
		c.add(encoded, h)
	}
}

func (c *headerCache) add(encoded string, h jose.Header) {
	old := c.known.Load()
	next := map[string]jose.Header{strings.Clone(encoded): h}
	// When it is full it starts anew: the headers of keys that are long gone are in it.
	if old != nil && len(*old) < maxHeaders {
		maps.Copy(next, *old)
	}
	c.known.CompareAndSwap(old, &next) // a request that loses the race leaves it to the next token
}
