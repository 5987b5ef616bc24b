package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/countersign-dev/countersign/prove"
)

// waitInterval is how often a service that is starting is asked.
const waitInterval = 500 * time.Millisecond

// waitFor asks until somebody answers who is the service, or refuses in its place: a load balancer without a backend says 502, 503 or 504.
func waitFor(ctx context.Context, target prove.Target, most time.Duration, line *progress) error {
	if most == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	last := ""
	for {
		now := ask(ctx, target)
		if now == "" {
			return nil
		}
		if last == "" || ctx.Err() == nil { // the end of the wait may have cut the last request off, which says nothing of the service
			last = now
		}
		line.say("waiting for " + target.String() + ": " + last)
		timer := time.NewTimer(waitInterval)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%s did not come up within %s: %s", target, most, last)
		}
	}
}

// ask says what keeps the target from being asked more; empty if nothing does.
func ask(ctx context.Context, target prove.Target) string {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return err.Error()
	}
	res, err := target.Do(r)
	if err != nil {
		return err.Error()
	}
	switch res.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return "status " + fmt.Sprint(res.StatusCode)
	}
	return ""
}
