package gateway

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
)

// A clientBody remembers why a caller's body could not be read, so that a caller's fault is not reported as the service's.
type clientBody struct {
	io.ReadCloser

	mu  sync.Mutex // the transport may still read while the handler answers
	err error
}

// Read reads from the caller.
func (b *clientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.mu.Lock()
		b.err = err
		b.mu.Unlock()
	}
	return n, err
}

// failure is the error that ended the body, or nil.
func (b *clientBody) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// refuseBody answers a caller whose body could not be read to its end.
func refuseBody(w http.ResponseWriter, cause error) {
	var tooLarge *http.MaxBytesError
	var timeout net.Error
	switch {
	case errors.As(cause, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "the body is larger than the edge forwards")
	case errors.As(cause, &timeout) && timeout.Timeout():
		refuse(w, http.StatusRequestTimeout, "the body did not arrive in time")
	default:
		refuse(w, http.StatusBadRequest, "the body ended early")
	}
}
