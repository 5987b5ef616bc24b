package drill

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// network is what connects the pods, the service and the issuer.
type network interface {
	serve(h http.Handler) (url string, err error)
	transport() http.RoundTripper
	close()
}

// sockets are free ports of the loopback.
type sockets struct{ servers []*http.Server }

func (s *sockets) serve(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	s.servers = append(s.servers, server)
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			l.Close()
		}
	}()
	return "http://" + l.Addr().String(), nil
}

func (s *sockets) transport() http.RoundTripper {
	return &http.Transport{MaxIdleConnsPerHost: 32, IdleConnTimeout: 30 * time.Second, ResponseHeaderTimeout: 20 * time.Second}
}

func (s *sockets) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, server := range s.servers {
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	}
}
