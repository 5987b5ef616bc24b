package cognito

import (
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Rates are quotas in requests a second. 0 means that there is no limit.
type Rates struct {
	ClientAuthentication int `json:"clientAuthentication"` // token requests of both doors, of all pools together

	DomainAddress int `json:"domainAddress"` // token endpoint: from one address
	DomainClient  int `json:"domainClient"`  // token endpoint: of one app client
	Domain        int `json:"domain"`        // token endpoint: of one pool

	UserPoolRead           int `json:"userPoolRead"`
	UserPoolUpdate         int `json:"userPoolUpdate"`
	UserPoolResourceRead   int `json:"userPoolResourceRead"` // domains and resource servers
	UserPoolResourceUpdate int `json:"userPoolResourceUpdate"`
	UserPoolClientRead     int `json:"userPoolClientRead"`
	UserPoolClientUpdate   int `json:"userPoolClientUpdate"`

	Operation int `json:"operation"` // one operation about resources or clients, on one pool
	Tags      int `json:"tags"`      // one operation about tags
}

// AWSRates returns the default quotas of an AWS account in a Region.
func AWSRates() Rates {
	return Rates{
		ClientAuthentication: 150,
		DomainAddress:        300, DomainClient: 300, Domain: 500,
		UserPoolRead: 15, UserPoolUpdate: 15, UserPoolResourceRead: 20, UserPoolResourceUpdate: 15, UserPoolClientRead: 15, UserPoolClientUpdate: 15,
		Operation: 5, Tags: 5,
	}
}

// Valid reports whether every rate is from 0 to a million.
func (r Rates) Valid() bool {
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		if rate := v.Field(i).Int(); rate < 0 || rate > 1_000_000 {
			return false
		}
	}
	return true
}

// Quotas counts requests against [Rates], for [HandlerConfig].Quotas. Each quota is a bucket that holds one second's worth
// and fills evenly. Make one with [NewQuotas].
type Quotas struct {
	rates atomic.Pointer[Rates]
	now   func() time.Time

	mu      sync.Mutex
	buckets map[quota]*bucket
	swept   time.Time
}

// NewQuotas returns quotas that nothing has been counted against. now is the clock; nil means [time.Now]. It should not
// be one that is set: a quota is about how fast requests really come.
func NewQuotas(rates Rates, now func() time.Time) *Quotas {
	if now == nil {
		now = time.Now
	}
	q := &Quotas{now: now}
	q.SetRates(rates)
	return q
}

// Rates returns the rates that are counted against.
func (q *Quotas) Rates() Rates { return *q.rates.Load() }

// SetRates replaces the rates, and forgets what was counted.
func (q *Quotas) SetRates(rates Rates) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rates.Store(&rates)
	q.buckets = make(map[quota]*bucket)
}

// A quota is a name, and what it is counted for: an address, a client, a pool or an operation on a pool.
type quota struct{ name, of string }

type limit struct {
	quota
	rate int
}

// maxBuckets bounds the memory. Pools, clients and operations are counted only if they exist; addresses are anybody's.
const maxBuckets = 20000

// admit takes one request out of every bucket, or out of none when one of them is empty, and returns the name of that one.
func (q *Quotas) admit(limits []limit) (exceeded string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	taken := make([]*bucket, 0, len(limits))
	for _, l := range limits {
		if l.rate <= 0 {
			continue
		}
		b := q.bucket(l, now)
		if b.fill(now, l.rate); b.level < 1 {
			return l.name
		}
		taken = append(taken, b)
	}
	for _, b := range taken {
		b.level--
	}
	return ""
}

func (q *Quotas) bucket(l limit, now time.Time) *bucket {
	if b := q.buckets[l.quota]; b != nil {
		return b
	}
	// Once a second is enough, or a flood would make each of its requests walk through all buckets.
	if len(q.buckets) >= maxBuckets && now.Sub(q.swept) >= time.Second {
		q.swept = now
		for key, b := range q.buckets {
			// After a second a bucket is full, and a full one is as good as none.
			if now.Sub(b.at) >= time.Second {
				delete(q.buckets, key)
			}
		}
	}
	if len(q.buckets) >= maxBuckets {
		l.of = "" // so many at once share one bucket
		if b := q.buckets[l.quota]; b != nil {
			return b
		}
	}
	b := &bucket{at: now, level: float64(l.rate)}
	q.buckets[l.quota] = b
	return b
}

type bucket struct {
	at    time.Time
	level float64
}

func (b *bucket) fill(now time.Time, rate int) {
	b.level = min(float64(rate), b.level+max(0, now.Sub(b.at).Seconds())*float64(rate))
	b.at = now
}

// admitToken counts a request of the token endpoint, or of GetClientToken, which has no domain.
func (q *Quotas) admitToken(e *entry, r *http.Request, domain bool) (exceeded string) {
	if q == nil {
		return ""
	}
	rates := q.Rates()
	limits := []limit{{quota{"ClientAuthentication", ""}, rates.ClientAuthentication}}
	if domain {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		limits = append(limits, limit{quota{"requests to the domain from one address", host}, rates.DomainAddress})
		if e.client != "" {
			limits = append(limits, limit{quota{"requests to the domain of one app client", e.client}, rates.DomainClient})
		}
		if e.pool != "" {
			limits = append(limits, limit{quota{"requests to the domain", e.pool}, rates.Domain})
		}
	}
	return q.admit(limits)
}

// admitCall counts a call of the JSON API.
func (q *Quotas) admitCall(o *operation, e *entry, r *http.Request) (exceeded string) {
	switch {
	// Cognito: the one has no TooManyRequestsException, the other no quota that concerns machines.
	case q == nil, o.name == "DescribeUserPoolDomain", o.name == "RevokeToken":
		return ""
	case o.name == "GetClientToken":
		return q.admitToken(e, r, false)
	}
	rates := q.Rates()
	name, rate := rates.category(o)
	if name == "tags" {
		return q.admit([]limit{{quota{"tags", o.name}, rate}})
	}
	limits := []limit{{quota{name, ""}, rate}}
	// Cognito: any single operation of the categories about resources and clients, at most so often on a pool.
	if e.pool != "" && (strings.HasPrefix(name, "UserPoolResource") || strings.HasPrefix(name, "UserPoolClient")) {
		limits = append(limits, limit{quota{o.name, e.pool}, rates.Operation})
	}
	return q.admit(limits)
}

// category returns the quota that the operation counts against.
func (r Rates) category(o *operation) (name string, rate int) {
	pick := func(reads, updates string, read, update int) (string, int) {
		if o.reads() {
			return reads, read
		}
		return updates, update
	}
	switch {
	case strings.HasPrefix(o.name, "TagR"), strings.HasPrefix(o.name, "Untag"), strings.HasPrefix(o.name, "ListTags"):
		return "tags", r.Tags
	case strings.Contains(o.name, "UserPoolClient"):
		return pick("UserPoolClientRead", "UserPoolClientUpdate", r.UserPoolClientRead, r.UserPoolClientUpdate)
	case strings.Contains(o.name, "Domain"), strings.Contains(o.name, "ResourceServer"):
		return pick("UserPoolResourceRead", "UserPoolResourceUpdate", r.UserPoolResourceRead, r.UserPoolResourceUpdate)
	}
	return pick("UserPoolRead", "UserPoolUpdate", r.UserPoolRead, r.UserPoolUpdate)
}
