package cognito_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

func p256() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// BenchmarkToken is a token by each key, and the signature alone as the floor.
func BenchmarkToken(b *testing.B) {
	for alg, newKey := range map[string]func() (crypto.Signer, error){"RS256": cheapKey, "ES256": p256} {
		s := newService(b, cognito.Config{NewKey: newKey})
		pool, c := seedPool(b, s)
		_, key, err := s.SigningKey(pool)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(alg+"/signature", func(b *testing.B) {
			digest := sha256.Sum256([]byte("x"))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
						b.Error(err)
					}
				}
			})
		})
		b.Run(alg+"/handler", func(b *testing.B) {
			b.ReportAllocs()
			h := cognito.Handler(s, cognito.HandlerConfig{})
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					res := httptest.NewRecorder()
					h.ServeHTTP(res, tokenRequest(pool, c, "grant_type=client_credentials"))
					if res.Code != 200 {
						b.Error(res.Code)
					}
				}
			})
		})
	}
}

// BenchmarkLoad starts a service over 1,000 pools of 100 clients.
func BenchmarkLoad(b *testing.B) {
	store := cognito.NewMemoryStore()
	s := newService(b, cognito.Config{Store: store})
	pool, _ := seedPool(b, s)
	records, revision, err := store.Load(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var many []cognito.Record
	for i := range 1000 {
		id := fmt.Sprintf("ap-southeast-1_%09d", i)
		for _, r := range records {
			body := strings.ReplaceAll(string(r.Body), pool, id)
			r.PoolID = id
			if r.Kind == cognito.KindPool {
				r.ID = id
			}
			if r.Kind != cognito.KindClient {
				many = append(many, cognito.Record{Kind: r.Kind, PoolID: r.PoolID, ID: r.ID, Body: []byte(body)})
				continue
			}
			for j := range 100 {
				client := fmt.Sprintf("client%dx%d", i, j)
				many = append(many, cognito.Record{Kind: r.Kind, PoolID: id, ID: client, Body: []byte(strings.ReplaceAll(body, r.ID, client))})
			}
		}
	}
	if _, err := store.Commit(b.Context(), revision, many); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		newService(b, cognito.Config{Store: store})
	}
}

// BenchmarkCreateClient is a write, without a store's disk, into 1,000 pools' worth of clients.
func BenchmarkCreateClient(b *testing.B) {
	s := newService(b, cognito.Config{NewKey: p256})
	var pool string
	for i := range b.N {
		if i%900 == 0 {
			pool, _ = seedPool(b, s)
		}
		must(s.CreateUserPoolClient(b.Context(), cognito.CreateUserPoolClientInput{
			UserPoolID: pool, ClientName: "c", GenerateSecret: true, ClientSettings: machine(readScope),
		}))(b)
	}
}
