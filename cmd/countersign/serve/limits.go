package serve

import (
	"cmp"
	"math"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// defaultConnections take some 400 MiB when all of them are slow, and 800 with TLS.
	defaultConnections = 16384

	// leastConnections let an orchestrator and a few callers in.
	leastConnections = 16

	// adminConnections are for Prometheus and the orchestrator's probes.
	adminConnections = 256

	// otherFiles is what the process has open besides: the store, the log, certificates that are read again, admin connections.
	otherFiles = 256
)

func (c *Config) checkConnections(fail failure) {
	c.Connections = cmp.Or(c.Connections, defaultConnections)
	if c.Connections < leastConnections || c.Connections > math.MaxInt32 {
		fail("connections", "is %d, want %d or more", c.Connections, leastConnections)
	}
}

// most is how many connections the public address has: those of the configuration, or what the system allows.
func (s *Server) most() int {
	files, limited := openFiles()
	if !limited {
		return s.config.Connections
	}
	allowed := max(files-min(otherFiles, files/2), leastConnections)
	if uint64(s.config.Connections) <= allowed {
		return s.config.Connections
	}
	if s.config.given("connections") {
		s.logger.Warn("the process may not have so many files open; raise their limit", "connections", s.config.Connections, "files", files, "used", allowed)
	}
	return int(allowed)
}

// measureConnections adds what the public address knows of its connections to the metrics.
func (s *Server) measureConnections(pair *certificate) {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "countersign_issuer_" + name, Help: help}, value)
	}
	counter := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "countersign_issuer_" + name, Help: help}, value)
	}
	s.metrics.registry.MustRegister(
		gauge("connections", "Connections of the public address that are open.", func() float64 {
			open, _ := s.public.counts()
			return float64(open)
		}),
		gauge("connections_limit", "How many connections the public address may have open.", func() float64 { return float64(s.public.most) }),
		counter("connections_closed_total", "Connections that were closed to make room for others, since they had kept the server waiting the longest.", func() float64 {
			_, removed := s.public.counts()
			return float64(removed)
		}),
		counter("bodies_refused_total", "Requests that were told to come again, since too much was being sent at once.", func() float64 {
			return float64(s.bodies.refused.Load())
		}),
	)
	if pair != nil {
		s.metrics.registry.MustRegister(gauge("certificate_expiry_timestamp_seconds", "When the certificate ends, in Unix time.", pair.expiry))
	}
}
