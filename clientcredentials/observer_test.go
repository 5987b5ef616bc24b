package clientcredentials_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// recorder is an Observer that keeps everything.
type recorder struct {
	mu       sync.Mutex
	requests []clientcredentials.TokenRequestEvent
	over     []clientcredentials.OverBudgetEvent
	resent   []clientcredentials.ResendEvent
}

func (r *recorder) TokenRequest(e clientcredentials.TokenRequestEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, e)
}

func (r *recorder) OverBudget(e clientcredentials.OverBudgetEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = append(r.over, e)
}

func (r *recorder) Resend(_ context.Context, e clientcredentials.ResendEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resent = append(r.resent, e)
}

func TestObserverIsToldOfEachTokenRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, r := &issuer{delay: 2 * time.Second}, &recorder{}
		i.answer = func(n int, req request) *http.Response {
			switch {
			case n == 1:
				return nil
			case n == 2:
				return answer(503, "text/html", "")
			case req.secret == "s3cret":
				return refused(400, "invalid_client")
			}
			return granted("token", 3600)
		}
		s := i.source(t, func(cfg *clientcredentials.Config) {
			cfg.Observer = r
			cfg.Credentials = clientcredentials.Static("reader", "s3cret", "the second")
		})
		token(t, s)
		event := clientcredentials.TokenRequestEvent{ClientID: "reader", Duration: 2 * time.Second}
		want := []clientcredentials.TokenRequestEvent{event, event, event, event}
		want[1].Status = 503
		want[2].Status, want[2].Code = 400, clientcredentials.InvalidClient
		want[3].Status, want[3].Granted, want[3].Fallback = 200, true, true
		if fmt.Sprint(r.requests) != fmt.Sprint(want) {
			t.Errorf("got  %+v\nwant %+v", r.requests, want)
		}
		if stats := s.Stats(); stats.Requests != 4 || stats.Granted != 1 {
			t.Errorf("%+v", stats)
		}
	})
}

// TestResendCount: OpenTelemetry, http.request.resend_count: "the ordinal number of request resending attempt", on the span of
// the request that is sent again, which is made by a transport beneath.
func TestResendCount(t *testing.T) {
	r := &recorder{}
	s := (&issuer{}).source(t, func(cfg *clientcredentials.Config) { cfg.Observer = r })
	var counts []int
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		counts = append(counts, clientcredentials.ResendCount(req.Context()))
		if len(counts) == 1 {
			return answer(401, "", "", "WWW-Authenticate", refusal), nil
		}
		return answer(200, "", "ok"), nil
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.example.com/a?b", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	res := do(t, &http.Client{Transport: s.Transport(base)}, req)
	if fmt.Sprint(counts) != "[0 1]" {
		t.Errorf("resend counts %v, want 0 and 1", counts)
	}
	if fmt.Sprint(r.resent) != "[{1 POST api.example.com}]" {
		t.Errorf("%+v", r.resent)
	}
	if res.Request.Context() != req.Context() && clientcredentials.ResendCount(res.Request.Context()) != 0 {
		t.Error("the caller sees another request than its own")
	}
}

func TestBudgetWarnsAndRefusesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, out := &recorder{}, &logBuffer{}
		s := (&issuer{}).source(t, func(cfg *clientcredentials.Config) {
			cfg.Observer, cfg.Logger = r, out.logger()
			cfg.Budget = clientcredentials.Budget{Requests: 10, Price: clientcredentials.CognitoPrice()}
		})
		// One life after another: 24 requests a day.
		for range 72 {
			token(t, s)
			time.Sleep(time.Hour)
		}
		// The window begins with the first request in it, so that three days have three.
		want := clientcredentials.OverBudgetEvent{ClientID: "reader", Granted: 11, Budget: 10, Window: 24 * time.Hour, Cost: 11 * 0.00225, Currency: "USD"}
		if len(r.over) != 3 || r.over[0] != want {
			t.Errorf("%+v", r.over)
		}
		if n := strings.Count(out.String(), "more token requests than the budget has"); n != 3 {
			t.Errorf("%d warnings, want 3:\n%s", n, out)
		}
		if stats := s.Stats(); stats.Granted != 72 || stats.OverBudget != 3 {
			t.Errorf("%+v", stats)
		}
	})
}

func TestStartSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const programs, spread = 200, 20 * time.Second
		i := &issuer{}
		start := time.Now()
		var wg sync.WaitGroup
		for range programs {
			s := i.source(t, func(cfg *clientcredentials.Config) { cfg.StartSpread = spread })
			wg.Go(func() { token(t, s) })
		}
		wg.Wait()
		seconds := map[time.Duration]int{}
		for _, req := range i.requests {
			seconds[req.at.Sub(start)/time.Second]++
		}
		peak := 0
		for _, n := range seconds {
			peak = max(peak, n)
		}
		if last := i.last().at.Sub(start); last > spread || peak > 40 || i.count() != programs {
			t.Errorf("%d requests within %v, at most %d in a second", i.count(), last, peak)
		}
	})
}
