package cognito

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/countersign-dev/countersign/internal/status"
)

// HandlerConfig says how [Handler] treats requests. The zero value accepts unsigned calls: it is for tests in one
// process.
type HandlerConfig struct {
	// Authenticate checks the signature of a call of the JSON API. Its error should be an [APIError]; any other is
	// answered as an internal error. Nil means that unsigned calls are accepted. It is not asked for the operations
	// that Cognito takes unsigned, such as GetClientToken.
	Authenticate func(r *http.Request, body []byte) error

	// Logger gets one line a request, without secrets, tokens and bodies. Nil means that nothing is logged.
	Logger *slog.Logger

	// MaxBody bounds the body of a call of the JSON API, in bytes. 0 means 1 MiB.
	MaxBody int64

	// Identify names the caller of a request whose signature has been checked, for the audit trail. Nil means the
	// access key id of its Authorization header.
	Identify func(r *http.Request) Actor

	// Observe is told of each request once it is answered, by the goroutine that answered it. Nil means nobody is.
	Observe func(Observation)

	// Reasons adds to each refusal why it is one, in the header countersign-reason: for a laptop, since Cognito tells
	// its callers nothing of the kind. A reason is this package's own words; what the request says is not in it.
	Reasons bool

	// Quotas refuses requests that come faster than its rates. Nil means that nothing is counted.
	Quotas *Quotas
}

type handler struct {
	service *Service
	config  HandlerConfig
}

// Handler serves the issuer: the cognito-idp JSON API at /, and for each pool its token endpoint, discovery document
// and key set below /<poolID>/. Its paths are those of [Config].BaseURL.
func Handler(s *Service, config HandlerConfig) http.Handler {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.MaxBody <= 0 {
		config.MaxBody = 1 << 20
	}
	if config.Identify == nil {
		config.Identify = signer
	}
	h := &handler{s, config}
	mux := http.NewServeMux()
	for _, route := range []struct {
		pattern string
		serve   func(http.ResponseWriter, *http.Request, *entry)
		refuse  func(http.ResponseWriter, *entry, error)
	}{
		{"POST /{$}", h.api, h.writeAPIError},
		{"/{pool}/oauth2/token", h.token, h.writeTokenError},
		{"/{pool}/oauth2/revoke", h.revoke, h.writeTokenError},
		{"GET /{pool}/.well-known/openid-configuration", h.discovery, h.writeDocumentError},
		{"GET /{pool}/.well-known/jwks.json", h.jwks, h.writeDocumentError},
	} {
		mux.Handle(route.pattern, h.logged(route.serve, route.refuse))
	}
	return mux
}

// An entry is the line that a request leaves in the log. All of it is this issuer's own words: what the request says is
// left out unless it names something that exists.
type entry struct {
	requestID string
	operation string
	pool      string
	client    string
	code      string
	reason    string
	err       error

	actor  Actor
	denied bool // the signature did not hold
	reads  bool // the operation changes nothing
}

// logged wraps a route: a request id, one line in the log, and an answer even when the route panics.
func (h *handler) logged(serve func(http.ResponseWriter, *http.Request, *entry), refuse func(http.ResponseWriter, *entry, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		e := &entry{requestID: newUUID()}
		out := &status.Writer{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				// The value of a panic may quote what it stumbled over; its type and place are enough to find it.
				e.err = fmt.Errorf("panic of type %T", p)
				h.config.Logger.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("request_id", e.requestID), slog.String("stack", string(debug.Stack())))
				if out.Sent() == 0 {
					refuse(out, e, e.err)
				}
			}
			took := time.Since(start)
			h.log(r.Context(), r, e, out.Sent(), took)
			h.observe(r, e, out.Sent(), took)
			h.audit(r, e)
		}()
		serve(out, r, e)
	})
}

func (h *handler) log(ctx context.Context, r *http.Request, e *entry, status int, took time.Duration) {
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("request_id", e.requestID),
		slog.String("route", r.Pattern),
		slog.Int("status", status),
		slog.Duration("duration", took),
	}
	for _, optional := range []slog.Attr{
		slog.String("operation", e.operation), slog.String("pool", e.pool), slog.String("client", e.client),
		slog.String("error", e.code), slog.String("reason", e.reason),
	} {
		if optional.Value.String() != "" {
			attrs = append(attrs, optional)
		}
	}
	if e.err != nil {
		attrs = append(attrs, slog.String("cause", e.err.Error()))
	}
	h.config.Logger.LogAttrs(ctx, level, "request", attrs...)
}

// readAll reads a body of at most most bytes. http.MaxBytesReader ends the connection of a caller that sends more, and
// finds it through the server's own writer only: those that others have wrapped around it are taken off.
func readAll(w http.ResponseWriter, r *http.Request, most int64) (body []byte, tooLarge bool, err error) {
	for wrapped, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok; wrapped, ok = w.(interface{ Unwrap() http.ResponseWriter }) {
		w = wrapped.Unwrap()
	}
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var limit *http.MaxBytesError
	return body, errors.As(err, &limit), err
}

// name notes what the request is about, if there is such a thing: a secret that somebody sends as an id is not logged.
func (h *handler) name(e *entry, poolID, clientID string) {
	now := h.service.current.Load()
	c := now.clients.get(clientID)
	if c != nil {
		e.client = c.ClientID
		if poolID == "" { // as of GetClientToken, where the client alone says which pool it is
			poolID = c.UserPoolID
		}
	}
	if p := now.pools[poolID]; p != nil {
		e.pool = p.ID
	}
}
