package bench_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
	oauthcc "golang.org/x/oauth2/clientcredentials"

	"github.com/countersign-dev/countersign/clientcredentials"
)

const (
	programs = 200
	nodes    = 10
	callGap  = 5 * time.Second // each program calls its API this often, all at the same time
	spread   = time.Minute
	quota    = 150 // token requests a second that Cognito takes from an account in a region
)

// fleetIssuer gives tokens of an hour, and is away for five minutes at the time of the day at which those who wait for
// the end of their token's life ask for the next one.
type fleetIssuer struct {
	start   time.Time
	mu      sync.Mutex
	granted int
	asked   map[int64]int // by second
}

func (f *fleetIssuer) RoundTrip(req *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := time.Since(f.start)
	if f.asked == nil {
		f.asked = map[int64]int{}
	}
	f.asked[int64(at/time.Second)]++
	if renewal := 13 * 3590 * time.Second; at > renewal-time.Minute && at < renewal+4*time.Minute {
		return nil, errors.New("connection refused")
	}
	f.granted++
	return tokenAnswer(jwtOf(f.granted), 3600), nil
}

func (f *fleetIssuer) peaks() (first, later int) {
	for second, n := range f.asked {
		if second > 0 {
			later = max(later, n)
		}
	}
	return f.asked[0], later
}

func jwtOf(n int) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode(fmt.Appendf(nil, `{"n":%d,"exp":%d}`, n, time.Now().Add(time.Hour).Unix())) + ".c2ln"
}

func tokenAnswer(token string, left int) *http.Response {
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(fmt.Sprintf(`{"access_token":%q,"expires_in":%d,"token_type":"Bearer"}`, token, left)))}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// fleet makes the token function of the n-th program.
type fleet func(t *testing.T, issuer http.RoundTripper, n int) func(context.Context) error

func ownSource(change func(*clientcredentials.Config)) fleet {
	return func(t *testing.T, issuer http.RoundTripper, _ int) func(context.Context) error {
		source := newSource(t, issuer, change)
		return func(ctx context.Context) error {
			_, err := source.Token(ctx)
			return err
		}
	}
}

func newSource(t *testing.T, issuer http.RoundTripper, change func(*clientcredentials.Config)) *clientcredentials.Source {
	cfg := clientcredentials.Config{TokenEndpoint: "https://auth.example.com/oauth2/token", Credentials: clientcredentials.Static("id", "secret"),
		HTTPClient: &http.Client{Transport: issuer}}
	change(&cfg)
	source, err := clientcredentials.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	return source
}

// throughAgents has an agent on each node, as `countersign agent` does it: one source, whose token is handed on with what
// is left of its life.
func throughAgents() fleet {
	agents := map[int]*clientcredentials.Source{}
	return func(t *testing.T, issuer http.RoundTripper, n int) func(context.Context) error {
		if agents[n%nodes] == nil {
			agents[n%nodes] = newSource(t, issuer, func(*clientcredentials.Config) {})
		}
		agent := agents[n%nodes]
		node := roundTripper(func(req *http.Request) (*http.Response, error) {
			token, err := agent.Token(req.Context())
			if err != nil {
				return nil, err
			}
			return tokenAnswer(token.AccessToken, int(time.Until(token.Expiry)/time.Second)), nil
		})
		return ownSource(func(*clientcredentials.Config) {})(t, node, n)
	}
}

func xoauth2(t *testing.T, issuer http.RoundTripper, _ int) func(context.Context) error {
	cfg := oauthcc.Config{ClientID: "id", ClientSecret: "secret", TokenURL: "https://auth.example.com/oauth2/token", AuthStyle: oauth2.AuthStyleInHeader}
	source := cfg.TokenSource(context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: issuer}))
	return func(context.Context) error {
		_, err := source.Token()
		return err
	}
}

// TestADayOfAFleet lets 200 programs start together and live a day, with an outage of the issuer in it, and prints what the
// day costs. The price is of clientcredentials.CognitoPrice, with its date.
func TestADayOfAFleet(t *testing.T) {
	price := clientcredentials.CognitoPrice()
	for _, c := range []struct {
		name        string
		ours        bool
		fleet       fleet
		first, peak int // what is promised of ours; by chance the peak of a day is 5 to 10
	}{
		{"countersign, each program for itself", true, ownSource(func(*clientcredentials.Config) {}), programs, 20},
		{"countersign, StartSpread of a minute", true, ownSource(func(c *clientcredentials.Config) { c.StartSpread = spread }), 15, 20},
		{"countersign, an agent on each of 10 nodes", true, throughAgents(), nodes, nodes},
		{"golang.org/x/oauth2/clientcredentials", false, xoauth2, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			issuer := &fleetIssuer{start: time.Now()}
			failed := 0
			var mu sync.Mutex
			var wg sync.WaitGroup
			for n := range programs {
				token := c.fleet(t, issuer, n)
				wg.Go(func() {
					for next := time.Duration(0); next < 24*time.Hour; next += callGap {
						time.Sleep(time.Until(issuer.start.Add(next)))
						if err := token(t.Context()); err != nil {
							mu.Lock()
							failed++
							mu.Unlock()
						}
					}
				})
			}
			wg.Wait()
			synctest.Wait()
			first, peak := issuer.peaks()
			t.Logf("%-42s %5d granted, %6.2f %s (price of %s), %3d in the first second, then at most %3d in one, %5d calls failed",
				c.name, issuer.granted, price.Cost(int64(issuer.granted)), price.Currency, price.AsOf, first, peak, failed)
			if c.ours && (failed > 0 || first > c.first || peak > c.peak) {
				t.Errorf("%s: %d calls failed, %d and %d token requests in a second, want none, at most %d and %d", c.name, failed, first, peak, c.first, c.peak)
			}
			if !c.ours && (failed == 0 || peak < quota) {
				t.Errorf("%s: the comparison on the page is not true any more: %d failed, peak %d", c.name, failed, peak)
			}
		})
	}
}
