package cognito_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

func TestConfigReportsEveryProblem(t *testing.T) {
	_, err := cognito.New(t.Context(), cognito.Config{Region: "Moon", AccountID: "12", BaseURL: "localhost:8081"})
	for _, want := range []string{"Region", "AccountID", "BaseURL"} {
		if err == nil || !strings.Contains(err.Error(), "Config."+want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
	for _, bad := range []string{"ftp://a", "http://", "http://a?b", "http://a#b", "http://a?", "http://u:p@a", "/x"} {
		if _, err := cognito.New(t.Context(), cognito.Config{BaseURL: bad}); err == nil {
			t.Errorf("BaseURL %q was accepted", bad)
		}
	}
	s := must(cognito.New(t.Context(), cognito.Config{BaseURL: "https://id.example.com/a/"}))(t)
	if got := s.Issuer("x_y"); got != "https://id.example.com/a/x_y" {
		t.Errorf("issuer %s", got)
	}
}

// TestConcurrentCreates: nothing that was acknowledged is lost, and every client can have a token.
func TestConcurrentCreates(t *testing.T) {
	f := newFixture(t)
	const goroutines = 64
	var wg sync.WaitGroup
	made := make([]cognito.UserPoolClient, goroutines)
	for i := range goroutines {
		wg.Go(func() {
			out, err := f.service.CreateUserPoolClient(t.Context(), cognito.CreateUserPoolClientInput{
				UserPoolID: f.pool, ClientName: fmt.Sprint("c", i), GenerateSecret: true, ClientSettings: machine(readScope),
			})
			if err != nil {
				t.Error(err)
			}
			made[i] = out.UserPoolClient
		})
	}
	wg.Wait()
	restarted := newService(t, cognito.Config{Store: f.store})
	for _, s := range []*cognito.Service{f.service, restarted} {
		for _, c := range made {
			if _, err := s.Token(t.Context(), f.request(c, "")); err != nil {
				t.Errorf("%s: %v", c.ClientName, err)
			}
		}
	}
}

// TestReplicas: two services on one store write at once, and each catches up with the other.
func TestReplicas(t *testing.T) {
	f := newFixture(t)
	replicas := []*cognito.Service{f.service, newService(t, cognito.Config{Store: f.store})}
	const each = 24
	var wg sync.WaitGroup
	made := make(chan cognito.UserPoolClient, 2*each)
	for i := range 2 * each {
		wg.Go(func() {
			out, err := replicas[i%2].CreateUserPoolClient(t.Context(), cognito.CreateUserPoolClientInput{
				UserPoolID: f.pool, ClientName: fmt.Sprint("c", i), GenerateSecret: true, ClientSettings: machine(readScope),
			})
			if err != nil {
				t.Error(err)
				return
			}
			made <- out.UserPoolClient
		})
	}
	wg.Wait()
	close(made)
	for _, s := range replicas {
		if err := s.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	count := 0
	for c := range made {
		count++
		for i, s := range replicas {
			if _, err := s.Token(t.Context(), f.request(c, "")); err != nil {
				t.Errorf("replica %d does not know %s: %v", i, c.ClientName, err)
			}
		}
	}
	if count != 2*each {
		t.Errorf("%d clients, want %d", count, 2*each)
	}
	must(replicas[0].DeleteUserPool(t.Context(), cognito.DeleteUserPoolInput{UserPoolID: f.pool}))(t)
	if err := replicas[1].Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := replicas[1].Token(t.Context(), f.request(f.reader, "")); err == nil {
		t.Error("a replica serves a pool that the other has deleted")
	}
}

// TestConflictAsksTheRuleAgain: a replica that has missed something does not write over it.
func TestConflictAsksTheRuleAgain(t *testing.T) {
	f := newFixture(t)
	behind := newService(t, cognito.Config{Store: f.store})
	must(f.service.CreateUserPoolDomain(t.Context(), cognito.CreateUserPoolDomainInput{UserPoolID: f.pool, Domain: "taken"}))(t)
	other := must(behind.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "other"}))(t).UserPool.ID
	must(f.service.DeleteUserPoolClient(t.Context(), cognito.DeleteUserPoolClientInput{UserPoolID: f.pool, ClientID: f.reader.ClientID}))(t)
	_, err := behind.UpdateUserPoolClient(t.Context(), cognito.UpdateUserPoolClientInput{UserPoolID: f.pool, ClientID: f.reader.ClientID})
	wantAPIError(t, err, "ResourceNotFoundException", "")
	_, err = behind.CreateUserPoolDomain(t.Context(), cognito.CreateUserPoolDomainInput{UserPoolID: other, Domain: "taken"})
	wantAPIError(t, err, "InvalidParameterException", "")
}

// brokenStore fails a commit, before or after it has been written.
type brokenStore struct {
	cognito.Store
	fail, writes bool
}

var errDisk = errors.New("disk is full")

func (s *brokenStore) Commit(ctx context.Context, revision int64, changes []cognito.Record) (int64, error) {
	if !s.fail {
		return s.Store.Commit(ctx, revision, changes)
	}
	if s.writes {
		if _, err := s.Store.Commit(ctx, revision, changes); err != nil {
			return 0, err
		}
	}
	return 0, errDisk
}

func TestFailingStore(t *testing.T) {
	for _, writes := range []bool{false, true} {
		t.Run(fmt.Sprintf("the change was written: %v", writes), func(t *testing.T) {
			store := &brokenStore{Store: cognito.NewMemoryStore(), writes: writes}
			s := newService(t, cognito.Config{Store: store})
			store.fail = true
			_, err := s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p"})
			wantAPIError(t, err, "InternalErrorException", "")
			if !errors.Is(err, errDisk) {
				t.Errorf("error %v does not wrap the store's", err)
			}
			// Whatever the caller was told, the service shows what the store holds.
			got := len(must(s.ListUserPools(t.Context(), cognito.ListUserPoolsInput{MaxResults: 60}))(t).UserPools)
			if want := map[bool]int{true: 1}[writes]; got != want {
				t.Errorf("%d pools, want %d", got, want)
			}
			store.fail = false
			must(s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p"}))(t)
		})
	}
}

// TestWhoHangsUpBeforeAWrite is told apart from a store that fails, and changes nothing.
func TestWhoHangsUpBeforeAWrite(t *testing.T) {
	f := newFixture(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.service.DeleteUserPoolClient(gone, cognito.DeleteUserPoolClientInput{UserPoolID: f.pool, ClientID: f.reader.ClientID})
	var e *cognito.APIError
	if !errors.As(err, &e) || e.Code != cognito.CodeInternalError || e.Status != 499 || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	must(f.service.Token(t.Context(), f.request(f.reader, "")))(t)
}

// TestSpoiltStore: a store that holds what cannot be understood is an error at start, without the content.
func TestSpoiltStore(t *testing.T) {
	for _, tt := range []struct {
		name   string
		record cognito.Record
		want   string
	}{
		{"a body that is no JSON", cognito.Record{Kind: cognito.KindClient, PoolID: "p", ID: "c", Body: []byte(`hush`)}, `client "c" of pool "p"`},
		{"a key that is none", cognito.Record{Kind: cognito.KindKey, PoolID: "p", ID: "k", Body: []byte(`{"ID":"k","Use":"access","PKCS8":"aHVzaA=="}`)}, `key "k" of pool "p"`},
		{"a kind from the future", cognito.Record{Kind: "hat", PoolID: "p", ID: "h", Body: []byte(`{}`)}, "newer version"},
		{"a client without a pool", cognito.Record{Kind: cognito.KindClient, PoolID: "p", ID: "c", Body: []byte(`{"ClientId":"c"}`)}, `pool "p"`},
		{"a pool without keys", cognito.Record{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{"Id":"p"}`)}, "no key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := cognito.NewMemoryStore()
			must(store.Commit(t.Context(), 0, []cognito.Record{tt.record}))(t)
			_, err := cognito.New(t.Context(), cognito.Config{Store: store})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("error %v, want one that says %s and quotes nothing", err, tt.want)
			}
		})
	}
}

// TestWhatCannotBeReadBackIsNotStored: a store that no service can load is worse than a write that fails.
func TestWhatCannotBeReadBackIsNotStored(t *testing.T) {
	store := cognito.NewMemoryStore()
	s := newService(t, cognito.Config{Store: store, Now: func() time.Time { return time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC) }})
	_, err := s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p"})
	wantAPIError(t, err, "InternalErrorException", "")
	if records, revision, err := store.Load(t.Context()); len(records) > 0 || revision != 0 || err != nil {
		t.Errorf("%d records at revision %d (%v)", len(records), revision, err)
	}
	must(newService(t, cognito.Config{Store: store}).CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p"}))(t)
}

// TestOneKeyForEverything: a test may give every pool the same key, for its speed; what cannot be is to replace it by itself.
func TestOneKeyForEverything(t *testing.T) {
	key := must(edKey())(t)
	store := cognito.NewMemoryStore()
	s := newService(t, cognito.Config{Store: store, NewKey: func() (crypto.Signer, error) { return key, nil }})
	pool, c := seedPool(t, s)
	request := cognito.TokenRequest{PoolID: pool, GrantType: "client_credentials", ClientID: c.ClientID, ClientSecret: c.ClientSecret}
	must(newService(t, cognito.Config{Store: store}).Token(t.Context(), request))(t)
	if keys := must(s.Keys(pool))(t); len(keys) != 1 || keys[0].State != cognito.KeySigning {
		t.Errorf("keys %+v", keys)
	}
	for _, in := range []cognito.RotateKeyInput{{UserPoolID: pool}, {UserPoolID: pool, Now: true}, {UserPoolID: pool, Now: true, RemoveOthers: true}} {
		_, err := s.RotateKey(t.Context(), in)
		wantAPIError(t, err, "InternalErrorException", "")
		if err == nil || !strings.Contains(err.Error(), "NewKey returned a key that the pool has already") {
			t.Errorf("%+v: %v", in, err)
		}
	}
}

func TestKeys(t *testing.T) {
	generate := map[string]func() (crypto.Signer, error){
		"RS256": func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
		"ES256": func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		"EdDSA": func() (crypto.Signer, error) { _, key, err := ed25519.GenerateKey(rand.Reader); return key, err },
	}
	for alg, newKey := range generate {
		t.Run(alg, func(t *testing.T) {
			store := cognito.NewMemoryStore()
			s := newService(t, cognito.Config{Store: store, NewKey: newKey})
			pool := must(s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p"}))(t).UserPool.ID
			kid, _, err := s.SigningKey(pool)
			if err != nil {
				t.Fatal(err)
			}
			again, key, err := newService(t, cognito.Config{Store: store}).SigningKey(pool)
			if err != nil || again != kid || key == nil {
				t.Errorf("after a restart the key is %q, was %q (%v)", again, kid, err)
			}
			w := wire{t, cognito.Handler(s, cognito.HandlerConfig{})}
			body := w.do(mustRequest("GET", "/"+pool+"/.well-known/openid-configuration")).Body.Bytes()
			if got := member(t, body, "id_token_signing_alg_values_supported"); got != `["`+alg+`"]` {
				t.Errorf("algorithms %s", got)
			}
		})
	}
	for name, newKey := range map[string]func() (crypto.Signer, error){
		"rfc7518 s3.3: RSA of 1024 bits": func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 1024) },
		"P-384":                          func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) },
		"neither a key nor an error":     func() (crypto.Signer, error) { return nil, nil },
		"no key":                         func() (crypto.Signer, error) { return nil, errors.New("no entropy") },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newService(t, cognito.Config{NewKey: newKey}).CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p"})
			wantAPIError(t, err, "InternalErrorException", "")
		})
	}
	_, _, err := newService(t, cognito.Config{}).SigningKey("us-east-1_nobody")
	wantAPIError(t, err, "ResourceNotFoundException", "")
}

// TestAnswersBelongToTheCaller: what a caller does with an answer changes nothing inside.
func TestAnswersBelongToTheCaller(t *testing.T) {
	f := newFixture(t)
	name := cognito.DescribeUserPoolClientInput{UserPoolID: f.pool, ClientID: f.reader.ClientID}
	c := must(f.service.DescribeUserPoolClient(t.Context(), name))(t).UserPoolClient
	c.AllowedOAuthScopes[0] = writeScope
	*c.EnableTokenRevocation = false
	p := must(f.service.DescribeUserPool(t.Context(), cognito.DescribeUserPoolInput{UserPoolID: f.pool}))(t).UserPool
	copy(p.Policies, "spoilt")
	again := must(f.service.DescribeUserPoolClient(t.Context(), name))(t).UserPoolClient
	if again.AllowedOAuthScopes[0] != readScope || !*again.EnableTokenRevocation {
		t.Error("an answer is shared with the service")
	}
	p = must(f.service.DescribeUserPool(t.Context(), cognito.DescribeUserPoolInput{UserPoolID: f.pool}))(t).UserPool
	if strings.Contains(string(p.Policies), "spoilt") {
		t.Error("a pool's settings are shared with the caller")
	}
}
