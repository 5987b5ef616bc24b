package clientcredentials_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// TestManyCallersAndABadIssuer runs an hour of everything at once, and closes in the middle of it. Whatever
// the issuer and the API answer, no caller gets a token that has ended, and none is left behind.
func TestManyCallersAndABadIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2)) // one flight at a time
		i := &issuer{delay: 300 * time.Millisecond}
		i.answer = func(n int, req request) *http.Response {
			switch rng.IntN(6) {
			case 0:
				return nil
			case 1:
				return refused(429, "", "Retry-After", "7")
			case 2:
				return answer(503, "", "")
			case 3:
				return refused(400, "invalid_client")
			}
			return granted(fmt.Sprintf("token-%d", n), 60)
		}
		refuse := rand.New(rand.NewPCG(3, 4)) // under the API's mutex
		a := &api{answer: func(n int, c call) *http.Response {
			if refuse.IntN(4) == 0 {
				return answer(401, "", "", "WWW-Authenticate", refusal)
			}
			return answer(200, "", "ok")
		}}
		s := i.source(t, nil)
		client := a.client(s)
		start := time.Now()
		var wg sync.WaitGroup
		for n := range 50 {
			wg.Go(func() {
				for time.Since(start) < time.Hour {
					time.Sleep(time.Duration(500+n*37) * time.Millisecond)
					if n%2 == 0 {
						if res, err := client.Get("https://api.example.com/"); err == nil {
							_ = res.Body.Close()
						}
						continue
					}
					got, err := s.Token(t.Context())
					var e *clientcredentials.Error
					switch {
					case err == nil && !time.Now().Before(got.Expiry):
						t.Error("a token that has ended")
					case err != nil && !errors.As(err, &e):
						t.Errorf("%v is no *Error", err)
					}
					_ = s.Stats()
				}
			})
		}
		time.Sleep(50 * time.Minute)
		stats := s.Stats()
		_ = s.Close()
		closed := i.count()
		wg.Wait()
		if i.count() != closed {
			t.Errorf("%d requests after Close", i.count()-closed)
		}
		// A life of a minute is renewed at 39 s at the earliest; failures in a row slow down.
		if stats.Requests > 600 || stats.Requests < 60 {
			t.Errorf("%+v", stats)
		}
	})
}
