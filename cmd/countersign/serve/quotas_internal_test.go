package serve

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// TestQuotas: AWS refuses the 151st client authentication of a second. The time is a bubble's, in which the machine is as fast as
// it has to be.
func TestQuotas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, err := cognito.New(t.Context(), cognito.Config{Store: cognito.NewMemoryStore(), BaseURL: "http://localhost:8081", Algorithm: func(string, string) string { return "ES256" }})
		if err != nil {
			t.Fatal(err)
		}
		pool, err := service.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "orders"})
		if err != nil {
			t.Fatal(err)
		}
		for quotas, want := range map[string]int{"aws": http.StatusTooManyRequests, "none": http.StatusBadRequest} {
			s := &Server{config: &Config{Quotas: quotas}, logger: slog.New(slog.DiscardHandler), service: service, metrics: newMetrics()}
			s.public = newCrowd(new(pipes), leastConnections, s.logger)
			s.metrics.exists = func(string, string) bool { return false }
			handler := s.handler()
			ask := func() int {
				r := httptest.NewRequest(http.MethodPost, "/"+pool.UserPool.ID+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.SetBasicAuth("nobody", "hunter2")
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, r)
				return answer.Code
			}
			for n := range 150 {
				if got := ask(); got != http.StatusBadRequest {
					t.Fatalf("quotas %s: request %d of a second: status %d", quotas, n+1, got)
				}
			}
			if got := ask(); got != want {
				t.Errorf("quotas %s: the 151st of a second: status %d, want %d", quotas, got, want)
			}
			time.Sleep(time.Second)
			if got := ask(); got != http.StatusBadRequest {
				t.Errorf("quotas %s: a second later: status %d", quotas, got)
			}
		}
	})
}
