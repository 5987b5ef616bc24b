package issuer_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// sampleBody has the size of a stored app client.
var sampleBody = append([]byte(`{"ClientName":"`), append(bytes.Repeat([]byte("x"), 700), `"}`...)...)

func sampleClient(pool, client int) cognito.Record {
	return cognito.Record{Kind: cognito.KindClient, PoolID: fmt.Sprintf("ap-southeast-1_Pool%05d", pool),
		ID: fmt.Sprintf("4kqabcdefghijklmnopqr%05d", client), Body: sampleBody}
}

// BenchmarkCommit is one client created at a time, sealed, with the disk synced each time. The floor is what SQLite does
// for one row of the same size with the same pragmas and nothing around it.
func BenchmarkCommit(b *testing.B) {
	b.Run("store", func(b *testing.B) {
		s := openSQLite(b, filepath.Join(b.TempDir(), "issuer.db"))
		at, i := int64(0), 0
		for b.Loop() {
			next, err := s.Commit(b.Context(), at, []cognito.Record{sampleClient(0, i)})
			if err != nil {
				b.Fatal(err)
			}
			at, i = next, i+1
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
	})
	b.Run("floor", func(b *testing.B) {
		db, err := sql.Open("sqlite", filepath.Join(b.TempDir(), "floor.db")+
			"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=fullfsync(1)")
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		if _, err := db.Exec(`CREATE TABLE t (n INTEGER PRIMARY KEY, body BLOB) STRICT`); err != nil {
			b.Fatal(err)
		}
		insert, err := db.Prepare(`INSERT INTO t (body) VALUES (?)`)
		if err != nil {
			b.Fatal(err)
		}
		defer insert.Close()
		for b.Loop() {
			if _, err := insert.Exec(sampleBody); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
	})
}

// BenchmarkLoad is the start of an issuer with 1,000 pools of 100 clients: open, read, verify, unseal.
func BenchmarkLoad(b *testing.B) {
	const pools, clients = 1000, 100
	path := filepath.Join(b.TempDir(), "issuer.db")
	s := openSQLite(b, path)
	records := make([]cognito.Record, 0, pools*clients)
	for pool := range pools {
		for client := range clients {
			records = append(records, sampleClient(pool, client))
		}
	}
	if _, err := s.Commit(b.Context(), 0, records); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s := openSQLite(b, path)
		loaded, _, err := s.Load(b.Context())
		if err != nil || len(loaded) != pools*clients {
			b.Fatal(len(loaded), err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
