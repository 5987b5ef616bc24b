// Package status remembers with which status a request was answered, for logs and traces.
package status

import "net/http"

// A Writer is an [http.ResponseWriter] that knows what was sent. Make one with the writer that it wraps.
type Writer struct {
	http.ResponseWriter
	sent int
}

// Sent returns the status that was sent; zero while nothing was.
func (w *Writer) Sent() int { return w.sent }

// WriteHeader implements [http.ResponseWriter].
func (w *Writer) WriteHeader(status int) {
	if w.sent == 0 {
		w.sent = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *Writer) Write(b []byte) (int, error) {
	if w.sent == 0 {
		w.sent = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController, and the bound of a body, reach the connection.
func (w *Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
