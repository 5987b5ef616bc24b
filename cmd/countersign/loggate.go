package main

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// A logGate holds back what is below a warning until it is opened.
type logGate struct {
	slog.Handler
	opened *atomic.Bool
}

func newLogGate(h slog.Handler) *logGate { return &logGate{h, new(atomic.Bool)} }

func (g *logGate) open() { g.opened.Store(true) }

// Enabled implements [slog.Handler].
func (g *logGate) Enabled(ctx context.Context, level slog.Level) bool {
	return (level >= slog.LevelWarn || g.opened.Load()) && g.Handler.Enabled(ctx, level)
}

// WithAttrs implements [slog.Handler].
func (g *logGate) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logGate{g.Handler.WithAttrs(attrs), g.opened}
}

// WithGroup implements [slog.Handler].
func (g *logGate) WithGroup(name string) slog.Handler {
	return &logGate{g.Handler.WithGroup(name), g.opened}
}
