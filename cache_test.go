package countersign_test

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/jose"
)

func TestATokenIsVerifiedOnce(t *testing.T) {
	seen := &observer{}
	guard := newIssuer(pool).guard(t, func(c *countersign.Config) { c.Observer = seen })
	api := demoAPI(guard)
	token := "Bearer " + scoped("demo.read")
	for range 3 {
		serve(api, "GET", "/demo", token)
	}
	// A copy in other memory is the same token.
	serve(api, "GET", "/demo", strings.Clone(token))
	if got := seen.text(func(e countersign.DecisionEvent) string { return fmt.Sprint(e.Cached) }); got != "false true true true" {
		t.Errorf("cached: %s", got)
	}
}

func TestCacheOff(t *testing.T) {
	seen := &observer{}
	guard := newIssuer(pool).guard(t, func(c *countersign.Config) { c.Observer, c.CacheBytes = seen, -1 })
	token := "Bearer " + scoped("demo.read")
	for range 2 {
		serve(demoAPI(guard), "GET", "/demo", token)
	}
	if got := seen.text(func(e countersign.DecisionEvent) string { return fmt.Sprint(e.Cached) }); got != "false false" {
		t.Errorf("cached: %s", got)
	}
}

func TestCveRulesOfTheCache(t *testing.T) {
	clock := now
	issuer := newIssuer(pool)
	guard := issuer.guard(t, func(c *countersign.Config) { c.Now = func() time.Time { return clock } })
	token := scoped("demo.read")
	check := func(name, token string, want countersign.Reason) {
		t.Helper()
		_, err := guard.Authorize(t.Context(), token, countersign.Scope("demo.read"))
		if want == "" && err != nil || want != "" && !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	check("first sight", token, "")
	// CVE-2026-35039: another token with the same end is another token.
	head := strings.IndexByte(token, '.')
	dot := strings.LastIndexByte(token, '.')
	other := encode([]byte(cognitoClaims.with("client_id", `"another"`).String()))
	check("other claims, same signature", token[:head+1]+other+token[dot:], countersign.BadSignature)
	check("other header, same signature", encode([]byte(cognitoHeader.with("kid", `"second"`).String()))+token[head:], countersign.BadSignature)
	check("a part of the token", token[4:], countersign.BadHeader)
	check("the tail of the token", token[len(token)-32:], countersign.MalformedToken)
	check("still good", token, "")
	// CVE-2026-107719: exp counts on every hit, leeway included.
	clock = now.Add(time.Hour + 59*time.Second)
	check("in the leeway", token, "")
	clock = now.Add(time.Hour + time.Minute)
	check("expired", token, countersign.Expired)
	clock = now
	check("clock set back", token, "")
}

func TestAWithdrawnKeyDropsItsTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(pool)
		var mu sync.Mutex
		transport := transportFunc(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			return issuer.RoundTrip(r)
		})
		start := time.Now()
		guard, err := countersign.New(countersign.Config{
			Issuer: pool, Resource: resource, HTTPClient: &http.Client{Transport: transport},
			Now: func() time.Time { return now.Add(time.Since(start)) },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer guard.Close()
		// This token outlives the key by far.
		token := sign(cognitoHeader, cognitoClaims.with("exp", seconds(24*time.Hour)))
		good := func() bool {
			_, err := guard.Authorize(t.Context(), token, countersign.Authenticated())
			return err == nil
		}
		if !good() {
			t.Fatal("the token is refused")
		}
		mu.Lock()
		issuer.keys = []published{{"second", jose.RS256, testKeys.second}}
		mu.Unlock()
		// Within an hour the set is refreshed and the grace of the key is over.
		time.Sleep(time.Hour)
		if good() {
			t.Error("a token of a withdrawn key is still good after an hour")
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	seen := &observer{}
	issuer := newIssuer(pool)
	issuer.keys = []published{{"ed", jose.EdDSA, testKeys.ed}}
	// Room for about sixty tokens of this size.
	guard := issuer.guard(t, func(c *countersign.Config) {
		c.Observer, c.CacheBytes, c.Algorithms = seen, 100<<10, []string{"EdDSA"}
	})
	api := demoAPI(guard)
	header := members{{"kid", `"ed"`}, {"alg", `"EdDSA"`}}
	tokens := make([]string, 1000)
	for i := range tokens {
		tokens[i] = "Bearer " + must(jose.Sign(testKeys.ed, jose.EdDSA, []byte(header.String()), []byte(cognitoClaims.with("jti", fmt.Sprintf(`"%d"`, i)).String())))
		if res := serve(api, "GET", "/demo", tokens[i]); res.StatusCode != served {
			t.Fatalf("token %d: status %d", i, res.StatusCode)
		}
	}
	seen.reset()
	for _, token := range tokens {
		// Bad tokens with the same end push nothing out.
		serve(api, "GET", "/demo", "Bearer x"+token[7:])
	}
	if hits := strings.Count(seen.text(func(e countersign.DecisionEvent) string { return fmt.Sprint(e.Cached) }), "true"); hits != 0 {
		t.Errorf("%d bad tokens were known", hits)
	}
	seen.reset()
	for i := len(tokens) - 1; i >= 0; i-- {
		if res := serve(api, "GET", "/demo", tokens[i]); res.StatusCode != served {
			t.Fatalf("token %d: status %d", i, res.StatusCode)
		}
	}
	hits := strings.Count(seen.text(func(e countersign.DecisionEvent) string { return fmt.Sprint(e.Cached) }), "true")
	if hits < 20 || hits > 100 {
		t.Errorf("%d of 1000 tokens were known, want some tens", hits)
	}
}

func TestCacheUnderConcurrentUse(t *testing.T) {
	issuer := newIssuer(pool)
	issuer.keys = []published{{"ed", jose.EdDSA, testKeys.ed}}
	guard := issuer.guard(t, func(c *countersign.Config) { c.CacheBytes, c.Algorithms = 16<<10, []string{"EdDSA"} })
	header := members{{"kid", `"ed"`}, {"alg", `"EdDSA"`}}
	tokens := make([]string, 40)
	for i := range tokens {
		claims := cognitoClaims.with("client_id", fmt.Sprintf(`"client-%d"`, i))
		tokens[i] = must(jose.Sign(testKeys.ed, jose.EdDSA, []byte(header.String()), []byte(claims.String())))
	}
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for n := range 2000 {
				i := (n*7 + worker) % len(tokens)
				caller, err := guard.Authorize(t.Context(), tokens[i], countersign.Scope("demo.read"))
				if err != nil || caller.ClientID != fmt.Sprintf("client-%d", i) {
					t.Errorf("token %d: caller %q, error %v", i, caller.ClientID, err)
					return
				}
			}
		})
	}
	wait.Wait()
}

// The memory that is counted is the memory that is held: the spaces that may stand before a token are not kept with it.
func TestSpacesBeforeATokenAreNotKept(t *testing.T) {
	issuer := edIssuer(pool)
	guard := issuer.guard(t, func(c *countersign.Config) { c.Algorithms = []string{"EdDSA"} })
	api := demoAPI(guard)
	const tokens = 200
	spaces := "Bearer" + strings.Repeat(" ", 12<<10)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range tokens {
		token := edSign(edHeader, cognitoClaims.with("jti", fmt.Sprintf(`"%d"`, i)).String())
		if res := serve(api, "GET", "/demo", spaces+token); res.StatusCode != served {
			t.Fatalf("status %d", res.StatusCode)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if n := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / tokens; n > 8<<10 {
		t.Errorf("%d bytes are held for one token", n)
	}
	runtime.KeepAlive(guard)
}

// What would take an eighth of the cache is verified each time: some such tokens would drive all others out.
func TestATokenThatIsLargeForTheCacheIsNotKept(t *testing.T) {
	seen := &observer{}
	guard := newIssuer(pool).guard(t, func(c *countersign.Config) { c.Observer, c.CacheBytes = seen, 8<<10 })
	for range 2 {
		serve(demoAPI(guard), "GET", "/demo", "Bearer "+scoped("demo.read"))
	}
	if got := seen.text(func(e countersign.DecisionEvent) string { return fmt.Sprint(e.Cached) }); got != "false false" {
		t.Errorf("cached: %s", got)
	}
}
