package drill

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memory is a network without sockets, in which the time of a bubble goes on.
type memory struct {
	mu       sync.Mutex
	handlers map[string]http.Handler
}

func (m *memory) serve(h http.Handler) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.handlers == nil {
		m.handlers = map[string]http.Handler{}
	}
	host := fmt.Sprintf("127.0.0.1:%d", len(m.handlers)+1)
	m.handlers[host] = h
	return "http://" + host, nil
}

func (m *memory) handler(host string) http.Handler {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.handlers[host]
}

func (m *memory) transport() http.RoundTripper { return wire{m} }
func (m *memory) close()                       {}

type wire struct{ *memory }

func (w wire) RoundTrip(req *http.Request) (res *http.Response, err error) {
	defer func() {
		if broken := recover(); broken == http.ErrAbortHandler {
			res, err = nil, errors.Join(errors.New("connection reset"), req.Context().Err())
		} else if broken != nil {
			panic(broken)
		}
	}()
	in := req.Clone(req.Context())
	in.RequestURI, in.RemoteAddr, in.Host = req.URL.RequestURI(), "127.0.0.1:9", req.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	answer := &kept{header: http.Header{}, status: http.StatusOK}
	w.handler(req.URL.Host).ServeHTTP(answer, in)
	return &http.Response{StatusCode: answer.status, Header: answer.header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(answer.body.Bytes())), ContentLength: int64(answer.body.Len()), Request: req}, nil
}

// TestNoCallFails: 500 requests a second through each of the things that happen, with the real issuer, the real guard and
// the real client. The time is the bubble's.
func TestNoCallFails(t *testing.T) {
	for name, cfg := range map[string]Config{
		"rotate-secret": {},
		"rotate-keys":   {},
		"issuer-outage": {},
		"clock-skew":    {Duration: 6 * time.Minute, Rate: 100},
		"everything":    {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg.network = &memory{}
				report, err := Run(t.Context(), name, cfg)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%v\n%s", report.Steps, report)
				if !report.OK() {
					t.Errorf("%s: %d of %d failed: %v %s", name, report.Failed, report.Requests, report.Failures, report.Incomplete)
				}
				if report.Requests < 29_000 || report.StartPeak < 15 || report.StartPeak > 25 || report.Peak > 20 {
					t.Errorf("%+v", report)
				}
			})
		})
	}
}

// TestRenewalsFallIntoTheOutage: 20 s without an issuer, at the time at which the pods renew tokens of five minutes.
func TestRenewalsFallIntoTheOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report, err := Run(t.Context(), "issuer-outage", Config{Duration: 6 * time.Minute, Rate: 100, network: &memory{}})
		if err != nil || !report.OK() {
			t.Fatalf("%v\n%s", err, report)
		}
		if last := report.Steps[len(report.Steps)-1].What; strings.Contains(last, " 0 times") {
			t.Errorf("%v: nobody renewed in the outage, so nothing is proven", report.Steps)
		}
	})
}

// TestAFailureIsSeen: an outage that is longer than tokens live is counted, and told.
func TestAFailureIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report, err := Run(t.Context(), "issuer-outage", Config{Life: 20 * time.Second, Outage: 25 * time.Second, Rate: 40, network: &memory{}})
		if err != nil {
			t.Fatal(err)
		}
		if report.OK() || report.Failed == 0 || !slices.ContainsFunc(sortedKeys(report.Failures), func(why string) bool { return strings.HasPrefix(why, "no token: ") }) {
			t.Errorf("%+v", report)
		}
	})
}

func TestADrillThatIsTooShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report, err := Run(t.Context(), "rotate-secret", Config{Duration: 5 * time.Second, Rate: 40, network: &memory{}})
		if err != nil || report.OK() || report.Incomplete != errTooShort.Error() || report.Failed != 0 {
			t.Errorf("%v, %+v", err, report)
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	for want, cfg := range map[string]Config{
		"the rate is negative":                         {Rate: -1},
		"5 requests a second are fewer than 10 pods":   {Rate: 5, Pods: 10},
		"the number of pods is negative":               {Pods: -1},
		"the duration is negative":                     {Duration: -time.Second},
		"the life is negative":                         {Life: -time.Second},
		"a life of 19s; a token that is renewed ahead": {Life: 19 * time.Second},
		"a life of 6m0s; ":                             {Life: 6 * time.Minute},
		"the skew is negative":                         {Skew: -time.Second},
		"the outage is negative":                       {Outage: -time.Second},
	} {
		if _, err := cfg.For("rotate-keys"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := Run(t.Context(), "rotate-everything", Config{}); err == nil || !strings.Contains(err.Error(), `["clock-skew" "everything" "issuer-outage" "rotate-keys" "rotate-secret"]`) {
		t.Errorf("%v", err)
	}
}

// TestSockets runs a short drill as the program does. Where the machine is busy, one that is less short.
func TestSockets(t *testing.T) {
	for duration := 3 * time.Second; ; duration *= 4 {
		var steps []string
		report, err := Run(t.Context(), "issuer-outage", Config{Duration: duration, Outage: 300 * time.Millisecond, Rate: 50, Pods: 5,
			Step: func(_ time.Duration, what string) { steps = append(steps, what) }})
		if err == nil && report.Incomplete != "" && duration < time.Minute {
			continue
		}
		if err != nil || !report.OK() || len(steps) != 2 {
			t.Errorf("%v, %+v, %v", err, report, steps)
		}
		return
	}
}
