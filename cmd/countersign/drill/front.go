package drill

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/chaos"
	"github.com/countersign-dev/countersign/cognito"
)

// front stands before the issuer: it counts token requests, shortens what is said of the lives of tokens and key sets, and
// is the outage.
type front struct {
	issuer atomic.Pointer[http.Handler]
	life   time.Duration
	began  time.Time
	away   atomic.Bool

	requests, granted, turn atomic.Int64
	mu                      sync.Mutex
	seconds                 map[int64]int64 // token requests by second of the drill
}

// open puts the issuer behind the front, with the faults and the limits that the drill asks for.
func (f *front) open(service *cognito.Service, cfg Config) error {
	tokens, err := chaos.Parse(cfg.Chaos, 1)
	if err != nil {
		return err
	}
	var faults []string
	for fault := range strings.SplitSeq(cfg.Chaos, ",") {
		if !strings.HasPrefix(strings.TrimSpace(fault), string(chaos.UnknownKid)+"=") {
			faults = append(faults, fault)
		}
	}
	keys, err := chaos.Parse(strings.Join(faults, ","), 2)
	if err != nil {
		return err
	}
	config := cognito.HandlerConfig{Logger: slog.New(slog.DiscardHandler)}
	if cfg.Quotas {
		config.Quotas = cognito.NewQuotas(cognito.AWSRates(), nil)
	}
	issuer := cognito.Handler(service, config)
	forTokens, forKeys := chaos.New(issuer, tokens), chaos.New(issuer, keys)
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isTokenRequest(r) {
			forTokens.ServeHTTP(w, r)
			return
		}
		forKeys.ServeHTTP(w, r)
	})
	f.issuer.Store(&h)
	return nil
}

func isTokenRequest(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/oauth2/token") }

// ServeHTTP implements [http.Handler].
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tokens := isTokenRequest(r)
	if tokens {
		f.count()
	}
	if f.away.Load() {
		f.fail(w, r)
		return
	}
	answer := &kept{header: http.Header{}, status: http.StatusOK}
	(*f.issuer.Load()).ServeHTTP(answer, r)
	switch {
	case answer.status != http.StatusOK:
	case tokens:
		f.granted.Add(1)
		answer.shorten(f.life)
	default:
		// A key is published two hours before it signs, and a key set is kept for 15 minutes at most; here it is half a
		// minute and, so that the proportion holds, a minute.
		answer.header.Set("Cache-Control", "max-age=60")
	}
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body.Bytes())
}

func (f *front) count() {
	f.requests.Add(1)
	second := int64(time.Since(f.began) / time.Second)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seconds == nil {
		f.seconds = map[int64]int64{}
	}
	f.seconds[second]++
}

// peaks returns the requests of the first second, and the most of a later one.
func (f *front) peaks() (first, later int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for second, n := range f.seconds {
		if second > 0 {
			later = max(later, n)
		}
	}
	return f.seconds[0], later
}

// fail is the outage: an error, a broken connection, and silence, in turn.
func (f *front) fail(w http.ResponseWriter, r *http.Request) {
	switch f.turn.Add(1) % 3 {
	case 0:
		w.WriteHeader(http.StatusServiceUnavailable)
	case 1:
		panic(http.ErrAbortHandler)
	default:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// kept is an answer that is looked at before it is sent.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *kept) Header() http.Header         { return k.header }
func (k *kept) WriteHeader(status int)      { k.status = status }
func (k *kept) Write(p []byte) (int, error) { return k.body.Write(p) }

// shorten rewrites expires_in, which is what a client plans by.
func (k *kept) shorten(life time.Duration) {
	var answer map[string]any
	if json.Unmarshal(k.body.Bytes(), &answer) != nil {
		return
	}
	if said, ok := answer["expires_in"].(float64); ok && said > life.Seconds() {
		answer["expires_in"] = int(life.Seconds())
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return
	}
	k.header.Del("Content-Length")
	k.body.Reset()
	k.body.Write(body)
}
