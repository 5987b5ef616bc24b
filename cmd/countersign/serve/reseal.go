package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

// Resealed is what came of [Reseal].
type Resealed struct {
	KeyID   string // of the key that opens the store now
	Secrets int    // that were sealed anew
	Nothing bool   // it was under this key before
}

// Reseal brings the secrets of the store from the key of the configuration under another one, whose file is there. Issuers that run
// go on issuing tokens, and refuse changes until they start with the new key.
func Reseal(ctx context.Context, c *Config, to SealKey) (out Resealed, err error) {
	next, err := to.open(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist) && to.KMS != "":
		return out, fmt.Errorf("%s: %w; make it with: countersign issuer key-file %[1]s --kms %[3]s --issuer %[4]s", to.File, fs.ErrNotExist, to.KMS, to.Issuer)
	case errors.Is(err, fs.ErrNotExist):
		return out, fmt.Errorf("%w; make it with: countersign issuer key-file %s", err, to.File)
	case errors.Is(err, seal.ErrEncrypted):
		return out, fmt.Errorf("%w; name its KMS key with --kms %s", err, kmsKeyOf(to.File))
	case err != nil:
		return out, err
	}
	if _, err := os.Stat(c.Store.SQLite); c.Store.SQLite != "" && err != nil {
		return out, c.errorAt("store.sqlite", fmt.Errorf("%w; an issuer makes it when it starts", err))
	}
	s := &Server{config: c, logger: slog.New(slog.DiscardHandler)}
	defer func() { err = errors.Join(err, s.close()) }()
	out.KeyID = next.KeyID()
	now, err := c.openSealer(ctx)
	if err != nil {
		return out, err
	}
	store, err := c.openStore(ctx, now)
	if errors.Is(err, seal.ErrOtherKey) { // unless this was done before
		if done, again := c.openStore(ctx, next); again == nil {
			now, store, err = next, done, nil
		}
	}
	if err != nil {
		return out, err
	}
	s.teardown.Add(store.Close)
	if out.Nothing = now.KeyID() == next.KeyID(); out.Nothing {
		return out, nil
	}
	out.Secrets, err = s.reseal(ctx, store, next)
	return out, err
}

func (s *Server) reseal(ctx context.Context, store cognito.Store, next *seal.Sealer) (secrets int, err error) {
	var record func(cognito.Event)
	if s.config.Audit.File != "-" { // standard output is the command's own
		if record, err = s.trail(); err != nil {
			return 0, err
		}
	}
	resealer, ok := store.(interface {
		Reseal(ctx context.Context, to *seal.Sealer) (int, error)
	})
	if !ok {
		return 0, errors.New("the store knows no other key")
	}
	if secrets, err = resealer.Reseal(ctx, next); err != nil {
		return 0, err
	}
	if record != nil {
		record(cognito.Event{Time: time.Now().UTC(), Kind: cognito.EventChange, Operation: "Reseal", Actor: cognito.Actor{User: "command line"}})
	}
	return secrets, nil
}
