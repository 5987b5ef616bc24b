package cognito

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// An Observation is one request that [Handler] has answered, for metrics and meters. Like the log it names nothing that does
// not exist.
type Observation struct {
	Context   context.Context // of the request: a wrapper of [Handler] finds in it what it put there
	Route     string          // token, revoke, api, jwks or discovery
	Operation string          // of the JSON API; empty for another route, and for one that does not exist
	PoolID    string
	ClientID  string
	Code      string // of an error, as the wire has it; empty for a success
	Status    int
	Duration  time.Duration
}

// Token reports whether the request was answered with a token, by either of the two doors.
func (o Observation) Token() bool {
	return o.Status == http.StatusOK && (o.Route == "token" || o.Operation == "GetClientToken")
}

// TokenLife returns the name of an app client and how long its access tokens live; zero for one that does not exist.
func (s *Service) TokenLife(poolID, clientID string) (name string, life time.Duration) {
	_, c, err := s.current.Load().client(poolID, clientID)
	if err != nil {
		return "", 0
	}
	return c.ClientName, c.lifetime
}

// observe tells whoever wants to know.
func (h *handler) observe(r *http.Request, e *entry, status int, took time.Duration) {
	if h.config.Observe == nil {
		return
	}
	route := "api"
	switch {
	case strings.HasSuffix(r.Pattern, "/oauth2/token"):
		route = "token"
	case strings.HasSuffix(r.Pattern, "/oauth2/revoke"):
		route = "revoke"
	case strings.HasSuffix(r.Pattern, "/jwks.json"):
		route = "jwks"
	case strings.HasSuffix(r.Pattern, "/openid-configuration"):
		route = "discovery"
	}
	operation := ""
	if route == "api" {
		operation = e.operation
	}
	h.config.Observe(Observation{
		Context: r.Context(), Route: route, Operation: operation, PoolID: e.pool, ClientID: e.client, Code: e.code, Status: status, Duration: took,
	})
}
