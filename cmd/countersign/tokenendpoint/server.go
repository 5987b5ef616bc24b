package tokenendpoint

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// drain is how long requests under way are waited for. A token request takes at most about as long.
const drain = 15 * time.Second

// Server answers on one listener. It is not used twice.
type Server struct {
	Handler http.Handler
	Logger  *slog.Logger
	// ConnContext is that of [http.Server]; nil for none.
	ConnContext func(ctx context.Context, c net.Conn) context.Context
	// Wait is how long requests are still taken when the end was asked for, and [Server.Ready] says no: until load balancers
	// have noticed.
	Wait time.Duration

	draining atomic.Bool
}

// Serve answers on l until ctx ends and Wait has passed, and returns when requests under way have been answered.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.leave(), ConnContext: s.ConnContext,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog:                     log.New(complaints{s.Logger}, "", 0),
		DisableGeneralOptionsHandler: true,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	s.draining.Store(true)
	select {
	case err := <-ended:
		return err
	case <-time.After(s.Wait):
	}
	limit, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	err := server.Shutdown(limit)
	if errors.Is(err, context.DeadlineExceeded) {
		s.Logger.Warn("requests cut off", "after", drain.String())
		err = server.Close()
	}
	if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// leave asks callers to take their connections elsewhere while the server drains: with each answer, and not by closing idle
// connections, on which a request may be on its way (RFC 9112, Section 9.6).
func (s *Server) leave() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		s.Handler.ServeHTTP(w, r)
	})
}

// complaints takes what net/http has to say: nearly always of a peer that hangs up or does not speak TLS, which is for
// debugging, and of a handler that panics.
type complaints struct{ logger *slog.Logger }

func (c complaints) Write(p []byte) (int, error) {
	level, text := slog.LevelDebug, string(p)
	if strings.HasPrefix(text, "http: panic serving") {
		level = slog.LevelError
	}
	c.logger.Log(context.Background(), level, strings.TrimSpace(text))
	return len(p), nil
}

// Ready answers 200, and 503 from the moment that the server drains.
func (s *Server) Ready(w http.ResponseWriter, _ *http.Request) {
	if s.draining.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}
