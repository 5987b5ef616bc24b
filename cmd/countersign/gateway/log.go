package gateway

import (
	"log/slog"
	"net/http"
	"time"
)

// An exchange is what the edge learns about one request on its way.
type exchange struct {
	start time.Time
	route string // the prefix that matched, "" when the edge answered by itself
	body  *clientBody
}

type exchangeKey struct{}

// logRequest writes the one line of a request. Its keys are fixed, and none of its values is a header or a query: both may
// hold a token. What the caller chose is escaped and cut to a bounded length.
func (g *Gateway) logRequest(r *http.Request, rec *recorder, seen *exchange) {
	g.logger.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("peer", r.RemoteAddr),
		slog.String("proto", r.Proto),
		slog.String("method", clip(r.Method, 16)),
		slog.String("host", clip(r.Host, 128)),
		slog.String("path", clip(r.URL.EscapedPath(), 256)),
		slog.String("route", seen.route),
		slog.Int("status", rec.status),
		slog.Int64("bytes", rec.bytes),
		slog.Duration("duration", g.now().Sub(seen.start)),
	)
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}

// A recorder notes the status and the size of an answer. A status of 0 in the log means that none was sent.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the first final status; 1xx answers precede it.
func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 && status >= 200 {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

// Write counts what the caller was sent.
func (rec *recorder) Write(p []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(p)
	rec.bytes += int64(n)
	return n, err
}

// Unwrap lets [http.ResponseController] reach the server's writer, so that streamed answers are flushed.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }
