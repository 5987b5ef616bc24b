package grpcguard

import (
	"context"
	"sync/atomic"

	"github.com/countersign-dev/countersign"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// unary is the interceptor of methods with one request and one answer. The request has been read by then, up to the server's
// MaxRecvMsgSize: gRPC reads it before any interceptor runs.
func (g *Guard) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	var answer any
	// Without a stream there is nobody to send a trailer to, and the status is all that the caller gets.
	trailer := func(md metadata.MD) { _ = grpc.SetTrailer(ctx, md) }
	err := g.serve(ctx, info.FullMethod, trailer, func(ctx context.Context) (err error) {
		answer, err = handler(ctx, request)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// stream is the interceptor of the others. Nothing of the caller's stream has been read by then.
func (g *Guard) stream(service any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	until := g.rules[info.FullMethod].IsUntilExpiry()
	return g.serve(ss.Context(), info.FullMethod, ss.SetTrailer, func(ctx context.Context) error {
		guarded := &stream{ServerStream: ss, ctx: ctx}
		if until {
			return runUntil(guarded, func() error { return handler(service, guarded) })
		}
		return handler(service, guarded)
	})
}

// stream is a ServerStream with the caller in its context.
type stream struct {
	grpc.ServerStream
	ctx context.Context
	cut atomic.Bool // a message was not sent or received because the token had ended
}

// Context has the caller, and ends with the token where the rule says so.
func (s *stream) Context() context.Context { return s.ctx }

// SendMsg sends nothing once the token has ended: the caller may not know any more what is sent now.
func (s *stream) SendMsg(m any) error {
	if hasExpired(s.ctx) {
		s.cut.Store(true)
		return countersign.Expired
	}
	return s.ServerStream.SendMsg(m)
}

// RecvMsg receives nothing once the token has ended.
func (s *stream) RecvMsg(m any) error {
	if hasExpired(s.ctx) {
		s.cut.Store(true)
		return countersign.Expired
	}
	return s.ServerStream.RecvMsg(m)
}

// errNoReturn is of a handler that ended its goroutine, as a test does that fails.
var errNoReturn = status.Error(codes.Internal, "grpcguard: the method did not return")

// outcome is how a handler ended: with an error or none, or in a panic.
type outcome struct {
	err      error
	panicked any
}

// runUntil runs the handler of a stream, and returns when it does or when the token ends, whichever comes first. A handler that waits in
// RecvMsg waits for the transport, which knows nothing of the token; what ends its wait is that the interceptor returns, upon which gRPC closes
// the stream.
func runUntil(s *stream, handler func() error) error {
	done := make(chan outcome, 1)
	go func() {
		o := outcome{err: errNoReturn}
		returned := false
		defer func() {
			if !returned {
				o.panicked = recover()
			}
			done <- o
		}()
		o.err = handler()
		returned = true
	}()
	select {
	case o := <-done:
		if o.panicked != nil {
			// Where the server's own interceptors would have met it.
			panic(o.panicked)
		}
		if o.err == nil && s.cut.Load() {
			// The client must not take what it got for the whole.
			return countersign.Expired
		}
		return o.err
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}
