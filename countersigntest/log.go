package countersigntest

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
)

// testLog sends the guard's log to the test's output, where it tells why a request was refused. It is silent while a matrix runs, which
// is refused some hundred times on purpose, and after the test.
type testLog struct {
	slog.Handler
	silent *atomic.Int32
}

func newTestLog(t testing.TB) testLog {
	withoutTime := func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	l := testLog{slog.NewTextHandler(t.Output(), &slog.HandlerOptions{ReplaceAttr: withoutTime}), new(atomic.Int32)}
	t.Cleanup(func() { l.silent.Add(1) })
	return l
}

// Enabled says whether anybody reads.
func (l testLog) Enabled(ctx context.Context, level slog.Level) bool {
	return l.silent.Load() == 0 && l.Handler.Enabled(ctx, level)
}

// WithAttrs keeps the switch.
func (l testLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return testLog{l.Handler.WithAttrs(attrs), l.silent}
}

// WithGroup keeps the switch.
func (l testLog) WithGroup(name string) slog.Handler {
	return testLog{l.Handler.WithGroup(name), l.silent}
}
