package serve_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cmd/countersign/serve"
)

// TestResealWhileItRuns: an issuer with the old key goes on issuing tokens, refuses changes and says why; one with the new key has
// everything. Done again, there is nothing to do.
func TestResealWhileItRuns(t *testing.T) {
	c := configure(t, "drain: {wait: 0s}\naudit: {file: audit.jsonl}\n")
	var log synced
	s, err := serve.Start(t.Context(), c, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	pool, client := provision(t, admin(t, s, c, "deployer"))
	r := running{s, c, pool, client}
	next := serve.SealKey{File: filepath.Join(t.TempDir(), "next.key")}
	if _, err := serve.Reseal(t.Context(), c, next); err == nil || !strings.Contains(err.Error(), "make it with: countersign issuer key-file "+next.File) {
		t.Errorf("without the file: %v", err)
	}
	sealer, err := seal.OpenKeyFile(next.File)
	if err != nil {
		t.Fatal(err)
	}
	out, err := serve.Reseal(t.Context(), c, next)
	if err != nil || out.KeyID != sealer.KeyID() || out.Secrets != 3 || out.Nothing {
		t.Errorf("%+v, %v", out, err)
	}
	if status, _ := r.token(t, http.DefaultClient); status != http.StatusOK {
		t.Errorf("a token with the old key: status %d", status)
	}
	once := func(o *idp.Options) { o.RetryMaxAttempts = 1 }
	_, err = admin(t, s, c, "deployer", once).CreateUserPool(t.Context(), &idp.CreateUserPoolInput{PoolName: aws.String("more")})
	if err == nil || !strings.Contains(err.Error(), "InternalErrorException") || !strings.Contains(log.String(), "its secrets are sealed under another key") {
		t.Errorf("a change with the old key: %v\n%s", err, log.String())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if out, err := serve.Reseal(t.Context(), c, next); err != nil || !out.Nothing || out.KeyID != sealer.KeyID() {
		t.Errorf("again: %+v, %v", out, err)
	}
	c.SealKey = next
	if out, err := serve.Reseal(t.Context(), c, next); err != nil || !out.Nothing {
		t.Errorf("with the new configuration: %+v, %v", out, err)
	}
	again := start(t, c)
	defer again.Close()
	if status, _ := (running{again, c, pool, client}).token(t, http.DefaultClient); status != http.StatusOK {
		t.Errorf("a token with the new key: status %d", status)
	}
	if trail, err := os.ReadFile(c.Audit.File); err != nil || strings.Count(string(trail), `"operation":"Reseal"`) != 1 {
		t.Errorf("the trail: %v\n%s", err, trail)
	}
}

// synced is a log that is read while it is written.
type synced struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *synced) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *synced) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
