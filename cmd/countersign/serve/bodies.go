package serve

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

const (
	// smallBody is what every request may send: a token request has some hundred bytes, a call of the JSON API rarely more
	// than a thousand. Ten thousand of them are 40 MiB.
	smallBody = 4 << 10

	// largeBodies is what all requests together may have beyond that. A call is read before its signature can be checked, so
	// that strangers could otherwise fill the memory with a megabyte from each connection.
	largeBodies = 32 << 20
)

// bodies bounds how much of the bodies of all requests under way is in memory.
type bodies struct {
	taken   atomic.Int64
	refused atomic.Uint64
}

// wrap counts the bodies of requests to next, and notes which connections are waited for in the middle of one.
func (b *bodies) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		body := &incoming{ResponseWriter: w, body: r.Body, all: b}
		if r.ProtoMajor == 1 { // a connection of HTTP/2 has other requests, too
			body.peer, _ = r.Context().Value(peerKey{}).(*peer)
		}
		body.peer.waits(slow)
		defer body.giveBack()
		// net/http looks at the body that it made: one that was not read to its end keeps the connection open until the answer
		// is there. Behind any other body it would be closed at once, and a sender in the middle of its body saw a reset instead.
		defer func() { r.Body = body.body }()
		r.Body = body
		if r.ContentLength > smallBody || r.ContentLength < 0 {
			w = body
		}
		next.ServeHTTP(w, r)
	})
}

// An incoming body is counted while it is read. It is also the writer of the answer, so that a request for which there is no
// room is told to come again, whatever its handler makes of half a body.
type incoming struct {
	http.ResponseWriter
	body io.ReadCloser
	all  *bodies
	peer *peer

	read, taken int64
	refused     bool
}

var errNoRoom = errors.New("too much is being sent at once")

// Read implements [io.Reader].
func (b *incoming) Read(into []byte) (int, error) {
	if b.refused {
		return 0, errNoRoom
	}
	n, err := b.body.Read(into)
	if err != nil { // the end is one
		b.peer.waits(no)
	}
	b.read += int64(n)
	if more := b.read - smallBody - b.taken; more > 0 {
		b.taken += more
		if b.all.taken.Add(more) > largeBodies {
			b.refused = true
			b.all.refused.Add(1)
			return n, errNoRoom
		}
	}
	return n, err
}

// Close implements [io.Closer].
func (b *incoming) Close() error { return b.body.Close() }

func (b *incoming) giveBack() { b.all.taken.Add(-b.taken) }

// WriteHeader implements [http.ResponseWriter].
func (b *incoming) WriteHeader(status int) {
	if b.refused && status < http.StatusInternalServerError {
		b.Header().Set("Retry-After", "1")
		b.Header().Set("Connection", "close")
		status = http.StatusServiceUnavailable
	}
	b.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController, and the bound of a body, reach the connection.
func (b *incoming) Unwrap() http.ResponseWriter { return b.ResponseWriter }
