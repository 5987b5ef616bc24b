package serve

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/countersign-dev/countersign/cognito"
)

// maxClients bounds how many app clients have series of their own; those beyond it share one. Ids that do not exist share
// another: whoever sends invented ids does not make series.
const maxClients = 2000

// sweepEvery is how often it is looked whether some of them are gone, when there is no room for another.
const sweepEvery = time.Minute

const (
	unknownClient = "unknown"
	otherClients  = "other"
)

// metrics are what /metrics shows.
type metrics struct {
	registry *prometheus.Registry
	tokens   *prometheus.CounterVec
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	errors   *prometheus.CounterVec

	mu      sync.RWMutex
	clients map[string]string // pools of the app clients that have series, by client id
	exists  func(pool, client string) bool
	swept   time.Time
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countersign_issuer_tokens_total",
			Help: "Token requests, by app client (unknown: an id that does not exist) and outcome: issued, or the error of the answer.",
		}, []string{"client", "outcome"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countersign_issuer_requests_total",
			Help: "Requests, by route (token, revoke, api, jwks, discovery), operation of the JSON API and error (empty: none).",
		}, []string{"route", "operation", "error"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "countersign_issuer_request_duration_seconds",
			Help: "How long requests took, by route.",
			// A signature with RSA-2048 takes one millisecond or less.
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5},
		}, []string{"route"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countersign_issuer_store_errors_total",
			Help: "Operations of the store that failed, by operation: load, commit, changes.",
		}, []string{"operation"}),
		clients: map[string]string{},
		exists:  func(string, string) bool { return true },
	}
	m.registry.MustRegister(m.tokens, m.requests, m.duration, m.errors,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(o cognito.Observation) {
	m.requests.WithLabelValues(o.Route, o.Operation, o.Code).Inc()
	m.duration.WithLabelValues(o.Route).Observe(o.Duration.Seconds())
	if o.Route == "token" || o.Operation == "GetClientToken" {
		m.tokens.WithLabelValues(m.client(o.PoolID, o.ClientID), cmp.Or(o.Code, "issued")).Inc()
	}
}

// client is the label of an app client.
func (m *metrics) client(pool, id string) string {
	if id == "" {
		return unknownClient
	}
	m.mu.RLock()
	_, known := m.clients[id]
	m.mu.RUnlock()
	if known {
		return id
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.clients) >= maxClients {
		m.forget()
	}
	if len(m.clients) >= maxClients {
		return otherClients
	}
	m.clients[id] = pool
	return id
}

// forget takes the series of app clients that were deleted away, once a minute at most: where tests make clients and delete them,
// all would be others before long. The lock is held.
func (m *metrics) forget() {
	now := time.Now()
	if now.Sub(m.swept) < sweepEvery {
		return
	}
	m.swept = now
	for id, pool := range m.clients {
		if pool != "" && !m.exists(pool, id) { // a request for GetClientToken may name no pool
			delete(m.clients, id)
			m.tokens.DeletePartialMatch(prometheus.Labels{"client": id})
		}
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// watchStore counts the errors of a store, and traces its commits where there is a tracer.
func (m *metrics) watchStore(store cognito.Store, tracer *tracer) cognito.Store {
	counted := countedStore{store, m.errors, tracer}
	if w, ok := store.(cognito.Watcher); ok {
		return struct {
			countedStore
			cognito.Watcher
		}{counted, w}
	}
	return counted
}

type countedStore struct {
	cognito.Store
	errors *prometheus.CounterVec
	tracer *tracer // nil where nothing is traced
}

// count leaves out a conflict, which is how replicas write at the same time, and a caller that has given up.
func (s countedStore) count(ctx context.Context, operation string, err error) {
	if err != nil && err != cognito.ErrConflict && ctx.Err() == nil {
		s.errors.WithLabelValues(operation).Inc()
	}
}

func (s countedStore) Load(ctx context.Context) ([]cognito.Record, int64, error) {
	records, revision, err := s.Store.Load(ctx)
	s.count(ctx, "load", err)
	return records, revision, err
}

func (s countedStore) Commit(ctx context.Context, revision int64, changes []cognito.Record) (int64, error) {
	end := func(error) {}
	if s.tracer != nil {
		end = s.tracer.part(ctx, "store commit")
	}
	next, err := s.Store.Commit(ctx, revision, changes)
	end(err)
	s.count(ctx, "commit", err)
	return next, err
}

func (s countedStore) Changes(ctx context.Context, since int64) ([]cognito.Record, int64, error) {
	records, revision, err := s.Store.Changes(ctx, since)
	s.count(ctx, "changes", err)
	return records, revision, err
}

// state are the metrics that are worked out when somebody asks.
type state struct {
	server                        *Server
	snapshotAge, storeUp, dropped *prometheus.Desc
	keyAge, keyRotation, keyCount *prometheus.Desc
}

func newState(s *Server) *state {
	gauge := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("countersign_issuer_"+name, help, labels, nil)
	}
	return &state{
		server:      s,
		snapshotAge: gauge("snapshot_age_seconds", "How long ago it was last known that nothing newer is in the store. Tokens are issued however old it is."),
		storeUp:     gauge("store_up", "1 when the last look at the store succeeded, 0 when it failed."),
		dropped:     gauge("audit_dropped_total", "Events that are missing in the audit trail: refusals beyond its rate, and what could not be written."),
		keyAge:      gauge("key_age_seconds", "For how long the key that signs has signed, by user pool.", "pool"),
		keyRotation: gauge("key_rotation_seconds", "In how many seconds the next key begins to sign, by user pool; none where keys are rotated by command only.", "pool"),
		keyCount:    gauge("keys", "Keys for access tokens, by user pool and state: published, signing, retiring.", "pool", "state"),
	}
}

// Describe implements [prometheus.Collector].
func (c *state) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.snapshotAge, c.storeUp, c.dropped, c.keyAge, c.keyRotation, c.keyCount} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *state) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	fresh := c.server.service.Freshness()
	gauge(c.snapshotAge, time.Since(fresh.Checked).Seconds())
	up := 1.0
	if fresh.Err != nil {
		up = 0
	}
	gauge(c.storeUp, up)
	if w := c.server.audit; w != nil {
		to <- prometheus.MustNewConstMetric(c.dropped, prometheus.CounterValue, float64(w.Dropped()))
	}
	for _, pool := range c.server.service.PoolIDs() {
		c.pool(gauge, pool)
	}
}

func (c *state) pool(gauge func(*prometheus.Desc, float64, ...string), pool string) {
	keys, err := c.server.service.Keys(pool)
	if err != nil {
		return // it was deleted in this moment
	}
	now := time.Now()
	counts := map[cognito.KeyState]float64{}
	var newest time.Time
	for _, k := range keys {
		counts[k.State]++
		if k.State == cognito.KeySigning {
			gauge(c.keyAge, now.Sub(k.Signs).Seconds(), pool)
		}
		if k.Signs.After(newest) {
			newest = k.Signs
		}
	}
	for _, s := range []cognito.KeyState{cognito.KeyPublished, cognito.KeySigning, cognito.KeyRetiring} {
		gauge(c.keyCount, counts[s], pool, string(s))
	}
	switch every := c.server.config.Keys.RotateEvery; {
	case counts[cognito.KeyPublished] > 0:
		gauge(c.keyRotation, newest.Sub(now).Seconds(), pool)
	case every > 0:
		gauge(c.keyRotation, newest.Add(every).Sub(now).Seconds(), pool)
	}
}
