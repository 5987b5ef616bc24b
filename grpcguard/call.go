package grpcguard

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/countersign-dev/countersign"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// call is one RPC on its way through the guard: the ResponseWriter that takes a refusal down, and what is to run when there is none.
type call struct {
	next    func(context.Context) error
	entered bool
	ctx     context.Context // of the admitted call
	err     error           // of next

	header http.Header
	status int
	body   []byte
}

// maxBody bounds what is kept of a refusal. The guard's problem documents have some hundred bytes.
const maxBody = 4 << 10

func (c *call) Header() http.Header { return c.header }

func (c *call) WriteHeader(status int) { c.status = status }

func (c *call) Write(b []byte) (int, error) {
	c.body = append(c.body, b[:min(len(b), maxBody-len(c.body))]...)
	return len(b), nil
}

// enter is the handler behind every rule. The guard calls it with the caller in the context, and with the context's end when the rule
// says UntilExpiry; the method runs inside.
func enter(w http.ResponseWriter, r *http.Request) {
	if c, ok := w.(*call); ok {
		c.entered, c.ctx = true, r.Context()
		c.err = c.next(c.ctx)
	}
}

// serve decides about one RPC and runs next, or refuses. A refusal's challenge goes to trailer.
func (g *Guard) serve(ctx context.Context, method string, trailer func(metadata.MD), next func(context.Context) error) error {
	if !g.checked.Load() {
		// A program that forgot Check must find out in its first test and not in its first incident.
		return status.Error(codes.Internal, "grpcguard: nothing is served before Guard.Check has passed")
	}
	if _, found := g.rules[method]; !found {
		// What a server says of a method that it does not have, as a Mux answers 404: a method that came after Check, or one of
		// an UnknownServiceHandler, has no rule and is not there.
		return status.Error(codes.Unimplemented, "unknown method")
	}
	r := &http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: method},
		Proto: "HTTP/2.0", ProtoMajor: 2, Header: http.Header{}, Body: http.NoBody,
	}
	// All of them: a call with two tokens is refused, since whoever stands in front may have looked at the other one.
	if values := metadata.ValueFromIncomingContext(ctx, "authorization"); len(values) > 0 {
		r.Header["Authorization"] = values
	}
	c := &call{next: next, header: http.Header{}}
	g.mux.ServeHTTP(c, r.WithContext(ctx))
	switch {
	case !c.entered:
		return c.refuse(trailer)
	case c.err != nil && ended(c.ctx, c.err):
		return refuseExpired(trailer)
	}
	return c.err
}

// hasExpired reports whether ctx ended with the token.
func hasExpired(ctx context.Context) bool { return errors.Is(context.Cause(ctx), countersign.Expired) }

// ended reports whether err is about the end of the token, by whose time the call's context was bounded, and not about the method's own
// work or the client's deadline.
func ended(ctx context.Context, err error) bool {
	if !hasExpired(ctx) {
		return false
	}
	code := status.FromContextError(err).Code()
	if s, ok := status.FromError(err); ok {
		code = s.Code()
	}
	return code == codes.DeadlineExceeded || code == codes.Canceled || errors.Is(err, countersign.Expired)
}

// refuseExpired is the end of a call whose token ended during it.
func refuseExpired(trailer func(metadata.MD)) error {
	// RFC 6750, Section 3.1: invalid_token is for a token that is "expired, revoked, malformed, or invalid".
	trailer(metadata.Pairs("www-authenticate", `Bearer error="invalid_token"`))
	return status.Error(codes.Unauthenticated, "countersign: invalid_token, the access token ended during the call")
}

// refuse is the guard's refusal as a status. Like the answer to an HTTP request it says what the challenge says, and the id under which
// the log has the rest.
func (c *call) refuse(trailer func(metadata.MD)) error {
	md := metadata.MD{}
	if challenge := c.header.Get("WWW-Authenticate"); challenge != "" {
		// RFC 6750, Section 3: the challenge, in the metadata of gRPC that comes with a status.
		md.Set("www-authenticate", challenge)
	}
	if seconds, err := strconv.Atoi(c.header.Get("Retry-After")); err == nil {
		// gRFC A6: the time after which a client may try again.
		md.Set("grpc-retry-pushback-ms", strconv.Itoa(seconds*1000))
	}
	trailer(md)
	var problem struct{ Error, Decision string }
	if json.Unmarshal(c.body, &problem) != nil {
		return status.Error(codes.Internal, "countersign: the call was refused")
	}
	if problem.Error == "" {
		problem.Error = "no access token"
	}
	return status.Error(c.code(), "countersign: "+problem.Error+", decision "+problem.Decision)
}

// code is the gRPC code of the refusal.
func (c *call) code() codes.Code {
	switch c.status {
	case http.StatusBadRequest:
		return codes.InvalidArgument
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	}
	return codes.Internal
}
