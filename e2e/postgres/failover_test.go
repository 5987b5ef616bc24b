package postgres

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// TestFailover: a standby takes over, and the newest commits of the primary never reached it. The replica that was
// acknowledged them must forget them, listen at the new primary, and miss nothing that is committed there.
func TestFailover(t *testing.T) {
	primary := ownServer(t)
	schema := primary.newSchemaName(t)
	open(t, primary.dsn(schema)).Close() // the tables, before the standby copies them
	standby := standbyOf(t, primary)
	dsn := fmt.Sprintf("postgres://issuer:%s@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable&target_session_attrs=read-write&options=-csearch_path%%3D%s",
		password, primary.port, standby.port, schema)
	store := open(t, dsn)
	service, err := cognito.New(t.Context(), cognito.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { service.Watch(ctx, 0) })
	t.Cleanup(func() {
		cancel()
		watching.Wait()
	})
	pool := func(s *cognito.Service, name string) string {
		made, err := s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: name})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return made.UserPool.ID
	}
	kept := pool(service, "kept")
	eventually(t, "the standby has what the primary has", func() bool {
		return query1(t, standby.dsn(schema), `SELECT count(*)::text FROM countersign_records WHERE kind = 'pool'`) == "1"
	})
	exec1(t, standby.dsn(""), `SELECT pg_promote()`)
	lost := pool(service, "lost") // at the old primary, which nobody replicates any more
	other, err := cognito.New(t.Context(), cognito.Config{Store: open(t, standby.dsn(schema))})
	if err != nil {
		t.Fatal(err)
	}
	made := []string{pool(other, "made at the new primary"), pool(other, "made there later")}

	primary.kill()
	began := time.Now()
	eventually(t, "the service has the new primary's state", func() bool {
		return service.Freshness().Err == nil && !knows(service, lost) && knows(service, kept) && knows(service, made[0]) && knows(service, made[1])
	})
	t.Logf("the service follows the new primary %v after the old one was killed", time.Since(began).Round(time.Millisecond))
	last := pool(other, "told")
	began = time.Now()
	eventually(t, "the service learns of a commit", func() bool { return knows(service, last) })
	t.Logf("a commit is known after %v", time.Since(began).Round(time.Millisecond))
	if after := pool(service, "after"); !knows(service, after) || knows(service, lost) {
		t.Error("a write after the failover")
	}
}

func knows(s *cognito.Service, pool string) bool {
	_, _, err := s.SigningKey(pool)
	return err == nil
}

// eventually waits for what other processes do.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute it is not so that %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// standbyOf starts a server that follows another one.
func standbyOf(t *testing.T, primary *server) *server {
	t.Helper()
	root, err := os.MkdirTemp(os.TempDir(), "countersign-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	owner, err := unprivileged()
	if err != nil {
		t.Fatal(err)
	}
	if owner != nil {
		if err := os.Chown(root, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	s := &server{dir: filepath.Join(root, "data")}
	t.Cleanup(func() {
		s.kill()
		os.RemoveAll(root)
	})
	s.run(t, nil, "pg_basebackup", "--pgdata="+s.dir, "--write-recovery-conf", "--checkpoint=fast", "--dbname="+primary.dsn(""))
	if s.port, err = freePort(); err != nil {
		t.Fatal(err)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	return s
}
