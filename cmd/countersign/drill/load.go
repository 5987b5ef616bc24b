package drill

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// maxReasons bounds the reasons that are told apart.
const maxReasons = 20

// tally counts requests and why they failed.
type tally struct {
	requests, failed atomic.Int64
	mu               sync.Mutex
	why              map[string]int64
}

func (t *tally) add(reason string) {
	t.requests.Add(1)
	if reason == "" {
		return
	}
	t.failed.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.why == nil {
		t.why = map[string]int64{}
	}
	if _, known := t.why[reason]; !known && len(t.why) >= maxReasons {
		reason = "other reasons"
	}
	t.why[reason]++
}

func (t *tally) reasons() map[string]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.why)
}

func sortedKeys(m map[string]int64) []string { return slices.Sorted(maps.Keys(m)) }

// load calls the service from every pod until ctx ends, and waits for the requests under way. Each pod keeps to a schedule of
// its own, so that a slow answer is followed by the calls that it delayed and the rate does not fall where it matters.
func (s *system) load(ctx context.Context, cfg Config) {
	interval := time.Second * time.Duration(cfg.Pods) / time.Duration(cfg.Rate)
	start := time.Now()
	var wg sync.WaitGroup
	for n, p := range s.pods {
		wg.Go(func() {
			next := start.Add(interval * time.Duration(n) / time.Duration(cfg.Pods))
			for ; wait(ctx, time.Until(next)) == nil; next = next.Add(interval) {
				wg.Go(func() { s.tally.add(p.call(s.apiURL)) })
			}
		})
	}
	wg.Wait()
}

// call makes one API request, and says why it failed. It is not cut off at the drill's end: it would count as failed.
func (p *pod) call(apiURL string) string {
	res, err := p.client.Get(apiURL + "/api/demo/protectedRole/drill")
	var failed *clientcredentials.Error
	switch {
	case errors.As(err, &failed):
		return "no token: " + failed.Code + " " + strconv.Itoa(failed.Status)
	case err != nil:
		return "the service was not reached"
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "the service answered " + strconv.Itoa(res.StatusCode)
	}
	return ""
}
