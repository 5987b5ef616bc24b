package cognito_test

import (
	"crypto"
	"crypto/ed25519"
	crand "crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/cognito"
	"github.com/countersign-dev/countersign/internal/jose"
)

func edKey() (crypto.Signer, error) {
	_, key, err := ed25519.GenerateKey(crand.Reader)
	return key, err
}

// A rotation is services over one store, whose clocks are apart.
type rotation struct {
	t        *testing.T
	services []*cognito.Service
	pool     string
	client   cognito.UserPoolClient
	sets     []seenSet
	tokens   []seenToken
}

// seenSet is a key set as some cache may have fetched it.
type seenSet struct {
	at   time.Time
	kids []string
}

type seenToken struct {
	kid        string
	from, till time.Time
}

func newRotation(t *testing.T, skews ...time.Duration) *rotation {
	r := &rotation{t: t}
	store := cognito.NewMemoryStore()
	for _, skew := range skews {
		r.services = append(r.services, newService(t, cognito.Config{
			Store: store, NewKey: edKey, Now: func() time.Time { return time.Now().Add(skew) },
		}))
	}
	first := r.services[0]
	r.pool = must(first.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "demo"}))(t).UserPool.ID
	settings := machine()
	settings.AccessTokenValidity = 24 // hours: the longest
	settings.AllowedOAuthScopes = nil
	settings.ExplicitAuthFlows = []string{"ALLOW_CLIENT_TOKEN_AUTH"}
	settings.AllowedOAuthFlows, settings.AllowedOAuthFlowsUserPoolClient = nil, false
	r.client = must(first.CreateUserPoolClient(t.Context(), cognito.CreateUserPoolClientInput{
		UserPoolID: r.pool, ClientName: "machine", GenerateSecret: true, ClientSettings: settings,
	}))(t).UserPoolClient
	r.refresh()
	return r
}

func (r *rotation) refresh() {
	for _, s := range r.services {
		if err := s.Refresh(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
	}
}

// fetch returns the key set as s serves it.
func (r *rotation) fetch(s *cognito.Service) *jose.KeySet {
	r.t.Helper()
	rec := wire{r.t, cognito.Handler(s, cognito.HandlerConfig{})}.do(httptest.NewRequest(http.MethodGet, "/"+r.pool+"/.well-known/jwks.json", nil))
	set, err := jose.ParseKeySet(rec.Body.Bytes())
	if err != nil {
		r.t.Fatal(err)
	}
	return set
}

func kidsOf(set *jose.KeySet) (kids []string) {
	for _, k := range set.Keys() {
		kids = append(kids, k.ID())
	}
	return kids
}

// sign issues a token at s and verifies it with the key set that s serves.
func (r *rotation) sign(s *cognito.Service) (kid string) {
	r.t.Helper()
	out := must(s.GetClientToken(r.t.Context(), cognito.GetClientTokenInput{ClientID: r.client.ClientID, Secret: r.client.ClientSecret}))(r.t)
	token := out.ClientAuthenticationResult.AccessToken
	kid = kidOf(r.t, token)
	split, _ := jose.Split(token)
	signature, err := base64.RawURLEncoding.DecodeString(split.Signature)
	key := r.fetch(s).Lookup(kid, jose.EdDSA)
	if err != nil || key == nil {
		r.t.Fatalf("the key set has no key %s of a token just signed, %v", kid, err)
	}
	if err := key.Verify(jose.EdDSA, []byte(split.Header+"."+split.Payload), signature); err != nil {
		r.t.Fatal(err)
	}
	return kid
}

func kidOf(t *testing.T, token string) string {
	t.Helper()
	header, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		t.Fatal(err)
	}
	var h struct{ Kid string }
	if err := json.Unmarshal(text, &h); err != nil {
		t.Fatal(err)
	}
	return h.Kid
}

// step lets every replica do what it does all day, and holds the property: each token that is alive verifies with each key
// set that a cache may hold.
func (r *rotation) step() {
	now := time.Now()
	for _, s := range r.services {
		kids := kidsOf(r.fetch(s))
		if len(kids) > cognito.MaxKeys {
			r.t.Fatalf("the key set has %d keys", len(kids))
		}
		r.sets = append(r.sets, seenSet{now, kids})
		r.tokens = append(r.tokens, seenToken{r.sign(s), now, now.Add(24 * time.Hour)})
	}
	r.sets = slices.DeleteFunc(r.sets, func(s seenSet) bool { return now.Sub(s.at) > cognito.KeyCacheTime })
	// The clock of a verifier may be late, too.
	r.tokens = slices.DeleteFunc(r.tokens, func(t seenToken) bool { return now.Sub(t.till) > cognito.MaxClockSkew })
	for _, set := range r.sets {
		for _, token := range r.tokens {
			if !slices.Contains(set.kids, token.kid) {
				r.t.Fatalf("at %v: a token of %v does not verify with the key set of %v", now, token.from, set.at)
			}
		}
	}
}

// TestEveryLiveTokenVerifiesWithEveryCachedKeySet runs two replicas for weeks, with scheduled rotations, with rotations that
// somebody asks for at any time, and with caches of any age up to the stated one that never ask for an unknown key id.
func TestEveryLiveTokenVerifiesWithEveryCachedKeySet(t *testing.T) {
	for seed, every := range []time.Duration{cognito.MinRotation, 31 * time.Hour, 7 * 24 * time.Hour} {
		t.Run(fmt.Sprintf("every %v", every), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { rotateForWeeks(t, every, uint64(seed)) })
		})
	}
}

func rotateForWeeks(t *testing.T, every time.Duration, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	const late = time.Minute // until a replica has seen what the other has committed
	r := newRotation(t, 0, cognito.MaxClockSkew-late)
	used := map[string]bool{}
	const rotations = 5
	for end := time.Now().Add(rotations * every); time.Now().Before(end); {
		time.Sleep(min(time.Duration(random.Int64N(int64(every/36))), r.nextTurn()))
		r.step() // a cache fetches the set in the moment before a key comes into it, or leaves it
		some := r.services[random.IntN(2)]
		if random.IntN(100) == 0 {
			must(some.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: r.pool}))(t)
		}
		if err := some.TendKeys(t.Context(), every); err != nil {
			t.Fatal(err)
		}
		r.step()
		time.Sleep(time.Duration(random.Int64N(int64(late))))
		r.refresh()
		r.step()
		used[r.tokens[len(r.tokens)-1].kid] = true
	}
	if len(used) < rotations {
		t.Errorf("%d keys signed, want at least %d", len(used), rotations)
	}
	keys := must(r.services[0].Keys(r.pool))(t)
	if len(keys) > 5 { // four and the one that is for id tokens
		t.Errorf("%d keys are left", len(keys))
	}
}

// nextTurn is how long it is until a key begins to sign or retires.
func (r *rotation) nextTurn() time.Duration {
	next := time.Duration(1<<63 - 1)
	for _, k := range must(r.services[0].Keys(r.pool))(r.t) {
		for _, at := range []time.Time{k.Signs, k.Retires} {
			if left := time.Until(at); left > 0 {
				next = min(next, left)
			}
		}
	}
	return next
}

// TestReplicasAgree: which key signs follows from the records and the time, not from who made it.
func TestReplicasAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotation(t, 0, 0, 0)
		before := r.sign(r.services[0])
		key := must(r.services[1].RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: r.pool}))(t)
		r.refresh()
		again := must(r.services[2].RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: r.pool}))(t)
		if again.ID != key.ID || again.State != cognito.KeyPublished {
			t.Errorf("asked twice, got %+v and %+v", key, again)
		}
		if lead := key.Signs.Sub(key.Created); lead != cognito.KeyCacheTime+cognito.MaxClockSkew {
			t.Errorf("published %v before it signs", lead)
		}
		time.Sleep(time.Until(key.Signs) - time.Millisecond)
		for _, s := range r.services {
			if got := r.sign(s); got != before {
				t.Errorf("the new key signs too early")
			}
		}
		time.Sleep(time.Millisecond)
		for _, s := range r.services {
			if got := r.sign(s); got != key.ID {
				t.Errorf("%s signs, want %s", got, key.ID)
			}
		}
	})
}

func TestServicesThatAreAskedAtOnceMakeOneKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotation(t, 0, 0, 0)
		time.Sleep(30 * 24 * time.Hour)
		done := make(chan error)
		for _, s := range r.services {
			go func() { done <- s.TendKeys(t.Context(), 48*time.Hour) }()
		}
		for range r.services {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		r.refresh()
		if kids := kidsOf(r.fetch(r.services[0])); len(kids) != 3 {
			t.Errorf("%d keys, want Cognito's two and the new one", len(kids))
		}
	})
}

func TestEmergencyRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotation(t, 0)
		s := r.services[0]
		old := r.sign(s)
		now := must(s.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: r.pool, Now: true}))(t)
		time.Sleep(time.Millisecond)
		if got := r.sign(s); got != now.ID || now.State != cognito.KeySigning {
			t.Errorf("%s signs, want %+v", got, now)
		}
		if kids := kidsOf(r.fetch(s)); !slices.Contains(kids, old) {
			t.Error("the old key has left the key set, and its tokens live")
		}
		// A key that waits is known to some verifiers already: it signs before one that nobody knows.
		waiting := must(s.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: r.pool}))(t)
		promoted := must(s.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: r.pool, Now: true}))(t)
		time.Sleep(time.Millisecond)
		if promoted.ID != waiting.ID || r.sign(s) != waiting.ID {
			t.Errorf("got %+v, want the key that waited: %+v", promoted, waiting)
		}
		last := must(s.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: r.pool, Now: true, RemoveOthers: true}))(t)
		kids := kidsOf(r.fetch(s))
		if len(kids) != 2 || !slices.Contains(kids, last.ID) || r.sign(s) != last.ID {
			t.Errorf("the key set has %q, want %s and the key for id tokens", kids, last.ID)
		}
		_, err := s.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: r.pool, RemoveOthers: true})
		wantAPIError(t, err, cognito.CodeInvalidParameter, "")
		_, err = s.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: "us-east-1_nobody"})
		wantAPIError(t, err, cognito.CodeResourceNotFound, "")
	})
}

// TestTheKeySetHasTenKeysAtMost: an Application Load Balancer takes no more.
func TestTheKeySetHasTenKeysAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotation(t, 0)
		s := r.services[0]
		for range 8 {
			time.Sleep(time.Minute)
			must(s.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: r.pool, Now: true}))(t)
		}
		_, err := s.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: r.pool, Now: true})
		wantAPIError(t, err, cognito.CodeLimitExceeded, "")
		// It ends by itself.
		time.Sleep(cognito.MaxTokenLife + cognito.KeyCacheTime)
		must(s.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: r.pool, Now: true}))(t)
		if kids := kidsOf(r.fetch(s)); len(kids) != 3 {
			t.Errorf("%d keys, want the new one, the last one and that for id tokens", len(kids))
		}
	})
}

func TestTooFastASchedule(t *testing.T) {
	if err := newService(t, cognito.Config{}).TendKeys(t.Context(), time.Hour); err == nil {
		t.Error("a rotation every hour was accepted")
	}
}
