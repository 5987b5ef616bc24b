package main

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// A logGate holds back what is below a warning until it is opened, and while a proof is under way: nobody reads the lines of its
// hundreds of requests, and they push away what people do read.
type logGate struct {
	slog.Handler
	opened  *atomic.Bool
	proving *atomic.Bool
}

func newLogGate(h slog.Handler) *logGate { return &logGate{h, new(atomic.Bool), new(atomic.Bool)} }

func (g *logGate) open() { g.opened.Store(true) }

// prove holds lines back until the function that it returns is called.
func (g *logGate) prove() (done func()) {
	g.proving.Store(true)
	return func() { g.proving.Store(false) }
}

// Enabled implements [slog.Handler].
func (g *logGate) Enabled(ctx context.Context, level slog.Level) bool {
	return (level >= slog.LevelWarn || g.opened.Load() && !g.proving.Load()) && g.Handler.Enabled(ctx, level)
}

// WithAttrs implements [slog.Handler].
func (g *logGate) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logGate{g.Handler.WithAttrs(attrs), g.opened, g.proving}
}

// WithGroup implements [slog.Handler].
func (g *logGate) WithGroup(name string) slog.Handler {
	return &logGate{g.Handler.WithGroup(name), g.opened, g.proving}
}
