package issuer

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

// A state is what an issuer finds at its start, and a client in it.
type state struct {
	config, database     string
	pool, client, secret string
}

// newState has one pool made by the rules of Cognito, and all others as copies of it under other ids: to make 100,000
// clients one by one takes longer than all measurements.
func newState(t *testing.T, pools, clients int) *state {
	t.Helper()
	dir := t.TempDir()
	s := &state{config: filepath.Join(dir, "issuer.yaml"), database: filepath.Join(dir, "issuer.db")}
	sealer, err := seal.OpenKeyFile(filepath.Join(dir, "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	keys := "- name: bench\n  accessKeyId: AKIABENCH\n  secretAccessKey: not-a-secret-of-anything\n  role: admin\n"
	config := "listen: 127.0.0.1:0\nbaseURL: http://localhost:8081\nstore:\n  sqlite: issuer.db\nsealKey: seal.key\ncredentials: access-keys.yaml\n"
	for name, text := range map[string]string{"access-keys.yaml": keys, "issuer.yaml": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	template := s.template(t)
	store, err := issuer.OpenSQLite(t.Context(), s.database, sealer)
	if err != nil {
		t.Fatal(err)
	}
	var records []cognito.Record
	for i := range pools {
		records = append(records, s.copies(template, i, clients)...)
	}
	if _, err := store.Commit(t.Context(), 0, records); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

// template is a pool with two RSA keys, a resource server and a client.
func (s *state) template(t *testing.T) []cognito.Record {
	t.Helper()
	ctx, store := t.Context(), cognito.NewMemoryStore()
	service, err := cognito.New(ctx, cognito.Config{Store: store, Region: "ap-southeast-1", NewKey: func() (crypto.Signer, error) {
		return rsa.GenerateKey(rand.Reader, 2048)
	}})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := service.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: "pool"})
	if err != nil {
		t.Fatal(err)
	}
	s.pool = pool.UserPool.ID
	_, err = service.CreateResourceServer(ctx, cognito.CreateResourceServerInput{UserPoolID: s.pool, Identifier: "https://api.example.com",
		Name: "api", Scopes: []cognito.ResourceServerScope{{ScopeName: "demo.read", ScopeDescription: "read"}}})
	if err != nil {
		t.Fatal(err)
	}
	client, err := service.CreateUserPoolClient(ctx, cognito.CreateUserPoolClientInput{UserPoolID: s.pool, ClientName: "client", GenerateSecret: true,
		ClientSettings: cognito.ClientSettings{AllowedOAuthFlows: []string{"client_credentials"}, AllowedOAuthFlowsUserPoolClient: true,
			AllowedOAuthScopes: []string{"https://api.example.com/demo.read"}}})
	if err != nil {
		t.Fatal(err)
	}
	s.client, s.secret = client.UserPoolClient.ClientID, client.UserPoolClient.ClientSecret.Reveal()
	records, _, err := store.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// copies returns the template for pool i; the first client of the first pool is the template's own.
func (s *state) copies(template []cognito.Record, i, clients int) (records []cognito.Record) {
	pool := s.pool
	if i > 0 {
		pool = fmt.Sprintf("%s%05d", s.pool[:len(s.pool)-5], i)
	}
	for _, r := range template {
		body := strings.ReplaceAll(string(r.Body), s.pool, pool)
		switch r.Kind {
		case cognito.KindPool:
			records = append(records, cognito.Record{Kind: r.Kind, PoolID: pool, ID: pool, Body: []byte(body)})
		case cognito.KindClient:
			for j := range clients {
				id := s.client
				if i > 0 || j > 0 {
					id = fmt.Sprintf("%s%04d%03d", s.client[:len(s.client)-7], i, j)
				}
				records = append(records, cognito.Record{Kind: r.Kind, PoolID: pool, ID: id, Body: []byte(strings.ReplaceAll(body, s.client, id))})
			}
		default:
			records = append(records, cognito.Record{Kind: r.Kind, PoolID: pool, ID: r.ID, Body: []byte(body)})
		}
	}
	return records
}

// measureFloor reads every row with the same driver, opens as many bytes with AES-256-GCM, and does nothing with them.
func measureFloor(t *testing.T, s *state) time.Duration {
	t.Helper()
	db, err := sql.Open("sqlite", s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	sealed, nonce := map[int][]byte{}, make([]byte, gcm.NonceSize())
	best := time.Hour
	for range 3 {
		began := time.Now()
		rows, err := db.QueryContext(t.Context(), `SELECT kind, pool, id, body FROM records`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var kind, pool, id string
			var body []byte
			if err := rows.Scan(&kind, &pool, &id, &body); err != nil {
				t.Fatal(err)
			}
			if sealed[len(body)] == nil {
				sealed[len(body)] = gcm.Seal(nil, nonce, make([]byte, len(body)), nil)
			}
			if _, err := gcm.Open(body[:0], nonce, sealed[len(body)], nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(began))
	}
	return best
}
