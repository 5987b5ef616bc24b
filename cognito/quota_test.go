package cognito_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// stopped is a clock that moves when it is told to.
type stopped struct{ now time.Time }

func (s *stopped) Now() time.Time { return s.now }

func TestQuotaOfTokens(t *testing.T) {
	f := newFixture(t)
	clock := &stopped{noon}
	quotas := cognito.NewQuotas(cognito.Rates{ClientAuthentication: 3}, clock.Now)
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{Quotas: quotas, Reasons: true})}
	send := func() int { return w.do(tokenRequest(f.pool, f.reader, "grant_type=client_credentials")).Code }
	for i := range 3 {
		if code := send(); code != 200 {
			t.Fatalf("request %d: %d", i+1, code)
		}
	}
	// Both doors share the quota, and each says it in its own way.
	res := w.do(tokenRequest(f.pool, f.reader, "grant_type=client_credentials"))
	if res.Code != 429 || res.Body.String() != `{"message":"Rate exceeded"}` || res.Header().Get("Retry-After") != "" ||
		res.Header().Get("countersign-reason") != "the quota is used up: ClientAuthentication" {
		t.Errorf("%d %s %v", res.Code, res.Body, res.Header())
	}
	res = w.call("GetClientToken", `{"ClientId":"a","Secret":"wrong_secret_of_thirty_chars__"}`)
	if res.Code != 400 || res.Body.String() != `{"__type":"TooManyRequestsException","message":"Rate exceeded"}` {
		t.Errorf("%d %s", res.Code, res.Body)
	}
	clock.now = clock.now.Add(400 * time.Millisecond)
	if a, b := send(), send(); a != 200 || b != 429 {
		t.Errorf("after 0.4 s at 3 a second: %d, %d", a, b)
	}
	quotas.SetRates(cognito.Rates{})
	if code := send(); code != 200 {
		t.Errorf("without a limit: %d", code)
	}
}

// TestQuotaOfOperations: five calls of one operation on one pool; another operation and another pool have their own.
func TestQuotaOfOperations(t *testing.T) {
	f := newFixture(t)
	other := must(f.service.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "other"}))(t).UserPool.ID
	clock := &stopped{noon}
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{Quotas: cognito.NewQuotas(cognito.AWSRates(), clock.Now)})}
	status := func(operation, pool string) string {
		res := w.call(operation, `{"UserPoolId":"`+pool+`"}`)
		return strings.Trim(member(t, res.Body.Bytes(), "__type"), `"`)
	}
	for _, c := range []struct {
		operation, pool string
		admitted        int
	}{
		{"ListUserPoolClients", f.pool, 5}, {"ListUserPoolClients", other, 5}, {"ListResourceServers", f.pool, 5},
		{"DescribeUserPool", f.pool, 15}, {"DescribeUserPool", other, 0}, // no quota of the operation, but the category's
	} {
		for i := range c.admitted {
			if code := status(c.operation, c.pool); code != "" {
				t.Errorf("%s %d: %s", c.operation, i+1, code)
			}
		}
		if code := status(c.operation, c.pool); code != "TooManyRequestsException" {
			t.Errorf("%s %d: %q", c.operation, c.admitted+1, code)
		}
	}
}

// TestQuotaOfAddresses: one address does not use up another's.
func TestQuotaOfAddresses(t *testing.T) {
	f := newFixture(t)
	clock := &stopped{noon}
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{Quotas: cognito.NewQuotas(cognito.Rates{DomainAddress: 1}, clock.Now)})}
	from := func(address string) int {
		r := tokenRequest(f.pool, f.reader, "grant_type=client_credentials")
		r.RemoteAddr = address
		return w.do(r).Code
	}
	if a, b, c := from("192.0.2.1:1"), from("192.0.2.1:2"), from("192.0.2.2:1"); a != 200 || b != 429 || c != 200 {
		t.Errorf("%d, %d, %d", a, b, c)
	}
}

// TestQuotasAreBounded: who comes from everywhere fills no memory.
func TestQuotasAreBounded(t *testing.T) {
	f := newFixture(t)
	clock := &stopped{noon}
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{Quotas: cognito.NewQuotas(cognito.Rates{DomainAddress: 1000}, clock.Now)})}
	before := heap()
	for i := range 30_000 { // half again as many as there are buckets
		r := tokenRequest("r_unknown", cognito.UserPoolClient{}, "grant_type=client_credentials")
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)
		w.do(r)
	}
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	runtime.KeepAlive(w)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestUnknownPoolsCostNothing: 100,000 ids that nobody has leave nothing behind, at any door.
func TestUnknownPoolsCostNothing(t *testing.T) {
	f := newFixture(t)
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{Quotas: cognito.NewQuotas(cognito.AWSRates(), nil), Reasons: true})}
	before := heap()
	for i := range 100_000 {
		id := fmt.Sprintf("ap-southeast-1_%09d", i)
		var res int
		switch i % 4 {
		case 0:
			res = w.do(tokenRequest(id, f.reader, "grant_type=client_credentials")).Code
		case 1:
			res = w.do(mustRequest("GET", "/"+id+"/.well-known/jwks.json")).Code
		case 2:
			res = w.do(mustRequest("GET", "/"+id+"/.well-known/openid-configuration")).Code
		case 3:
			res = w.call("DescribeUserPool", `{"UserPoolId":"`+id+`"}`).Code
		}
		if res < http.StatusBadRequest {
			t.Fatalf("%s: %d", id, res)
		}
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	runtime.KeepAlive(w)
}
