package drill

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// front stands before the issuer: it counts token requests, shortens what is said of a token's life, and is the outage.
type front struct {
	issuer atomic.Pointer[http.Handler]
	life   time.Duration
	began  time.Time
	away   atomic.Bool

	requests, granted, turn atomic.Int64
	mu                      sync.Mutex
	seconds                 map[int64]int64 // token requests by second of the drill
}

func (f *front) set(h http.Handler) { f.issuer.Store(&h) }

// ServeHTTP implements [http.Handler].
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tokens := strings.HasSuffix(r.URL.Path, "/oauth2/token")
	if tokens {
		f.count()
	}
	if f.away.Load() {
		f.fail(w, r)
		return
	}
	if !tokens {
		(*f.issuer.Load()).ServeHTTP(w, r)
		return
	}
	answer := &kept{header: http.Header{}, status: http.StatusOK}
	(*f.issuer.Load()).ServeHTTP(answer, r)
	if answer.status == http.StatusOK {
		f.granted.Add(1)
		answer.shorten(f.life)
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
