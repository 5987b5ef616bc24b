package prove

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Handler is a target in this process: no listener and no network.
func Handler(h http.Handler) Target { return inProcess{h} }

type inProcess struct{ handler http.Handler }

func (inProcess) String() string { return "in process" }

// panicked is the error of a handler that did not return. A server would have cut the connection.
type panicked struct{ value string }

func (p panicked) Error() string { return "the handler panicked: " + p.value }

// Do serves the request. It waits for the handler, or for the end of the request's context: then whatever the handler has written
// by then is the answer, so that a stream has one. A handler that streams is told soon that its caller is gone.
func (t inProcess) Do(r *http.Request) (*http.Response, error) {
	outer := r.Context()
	inner, gone := context.WithCancel(outer)
	defer gone()
	r = r.WithContext(inner)
	r.RequestURI = r.URL.RequestURI()
	r.RemoteAddr = "192.0.2.1:1234" // RFC 5737: for documentation
	if r.Host == "" {
		r.Host = "localhost"
	}
	rec := &recorder{header: http.Header{}, bodyless: r.Method == http.MethodHead, flushed: func(h http.Header) { time.AfterFunc(streamTime(h), gone) }}
	done := make(chan error, 1)
	go func() {
		defer func() {
			switch v := recover(); {
			case v == nil:
			case v == http.ErrAbortHandler && rec.onItsWay(): // net/http: how a handler breaks an answer off
				done <- nil
			default:
				done <- panicked{fmt.Sprint(v)}
			}
		}()
		t.handler.ServeHTTP(rec, r)
		if r.Context().Err() == nil { // a handler that was given up and then returned has not answered
			rec.WriteHeader(http.StatusOK)
		}
		done <- nil
	}()
	select {
	case err := <-done:
		if err != nil {
			return nil, err
		}
	case <-outer.Done():
	}
	if res := rec.response(); res != nil {
		return res, nil
	}
	return nil, context.Cause(outer)
}

// recorder keeps status and header of an answer, and counts its body.
type recorder struct {
	header   http.Header // the handler's own
	bodyless bool        // RFC 9110, Section 9.3.2: the answer to HEAD has no content

	flushed func(http.Header) // is called once, when the answer is on its way and its handler goes on

	mu     sync.Mutex
	status int
	sent   http.Header // as it was when the status was written
	length int64
	live   bool // some of it has been sent
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// net/http: informational answers come before the one that counts, and only the first of those does.
	if r.status != 0 || status < 200 {
		return
	}
	r.status, r.sent = status, r.header.Clone()
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bodyless || r.status == http.StatusNoContent || r.status == http.StatusNotModified {
		return len(b), nil
	}
	// net/http: a handler that names no type has the type that the first bytes look like.
	if _, named := r.sent["Content-Type"]; !named && r.length == 0 && len(b) > 0 {
		r.sent.Set("Content-Type", http.DetectContentType(b))
	}
	r.length += int64(len(b))
	return len(b), nil
}

// Flush makes the recorder an [http.Flusher]: a stream must not fail for want of one.
func (r *recorder) Flush() {
	r.WriteHeader(http.StatusOK)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.live {
		r.live = true
		r.flushed(r.sent)
	}
}

func (r *recorder) onItsWay() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live
}

// SetReadDeadline is for [http.ResponseController], as streams use it. There is no connection that could wait too long.
func (r *recorder) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline is SetReadDeadline.
func (r *recorder) SetWriteDeadline(time.Time) error { return nil }

// EnableFullDuplex is for handlers that answer while they read, which they may do here at any time.
func (r *recorder) EnableFullDuplex() error { return nil }

func (r *recorder) response() *http.Response {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status == 0 {
		return nil
	}
	return &http.Response{StatusCode: r.status, Header: r.sent.Clone(), Body: http.NoBody, ContentLength: r.length}
}
