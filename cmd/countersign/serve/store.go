package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

// OpenStore opens the store that the configuration names. Commands that work on the records of an issuer, running or not, use
// it too: the store keeps what they write from getting in each other's way.
func (c *Config) OpenStore(ctx context.Context) (cognito.Store, error) {
	sealer, err := c.openSealer(ctx)
	if err != nil {
		return nil, err
	}
	return c.openStore(ctx, sealer)
}

func (c *Config) openStore(ctx context.Context, sealer *seal.Sealer) (cognito.Store, error) {
	if c.Store.SQLite != "" {
		if err := os.MkdirAll(filepath.Dir(c.Store.SQLite), 0o700); err != nil {
			return nil, c.errorAt("store.sqlite", err)
		}
		store, err := issuer.OpenSQLite(ctx, c.Store.SQLite, sealer)
		if err != nil {
			return nil, c.errorAt("store.sqlite", err)
		}
		return store, nil
	}
	if _, err := c.dsn(); err != nil {
		return nil, err
	}
	store, err := issuer.OpenPostgresOf(ctx, c.dsn, sealer)
	if err != nil {
		return nil, c.errorAt("store.postgres", err)
	}
	return store, nil
}

// warnOfStore says what keeps nobody from starting.
func warnOfStore(store cognito.Store, logger *slog.Logger) {
	if p, ok := store.(*issuer.Postgres); ok && p.InClear() {
		logger.Warn("the connection to PostgreSQL may be without TLS; write sslmode=verify-full into the connection string")
	}
}

// OpenService opens the records of an issuer, running or not, for a command, whose changes the audit trail has as those of the
// command line. The caller closes what comes with the service.
func OpenService(ctx context.Context, c *Config) (*cognito.Service, io.Closer, error) {
	if _, err := os.Stat(c.Store.SQLite); c.Store.SQLite != "" && err != nil {
		return nil, nil, c.errorAt("store.sqlite", fmt.Errorf("%w; an issuer makes it when it starts", err))
	}
	return CreateService(ctx, c)
}

// CreateService is [OpenService] that makes the store where there is none, as the start of an issuer does.
func CreateService(ctx context.Context, c *Config) (*cognito.Service, io.Closer, error) {
	s := &Server{config: c, logger: slog.New(slog.DiscardHandler)}
	store, err := c.OpenStore(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.teardown.Add(store.Close)
	config := c.service(store, c.BaseURL)
	if c.Audit.File != "-" { // standard output is the command's own
		if config.Audit, err = s.trail(); err != nil {
			return nil, nil, errors.Join(err, s.close())
		}
	}
	service, err := cognito.New(ctx, config)
	if err != nil {
		return nil, nil, errors.Join(err, s.close())
	}
	return service, closer(s.close), nil
}

type closer func() error

func (c closer) Close() error { return c() }

// maxDSN bounds a connection string.
const maxDSN = 8 << 10

// dsn reads the connection string. It is never repeated: it holds a password.
func (c *Config) dsn() (string, error) {
	from := c.Store.Postgres
	if from.DSNEnv != "" {
		dsn := os.Getenv(from.DSNEnv)
		if dsn == "" {
			return "", c.errorAt("store.postgres.dsnEnv", fmt.Errorf("the environment variable %s is empty", from.DSNEnv))
		}
		return dsn, nil
	}
	text, err := readPrivate(from.DSNFile, maxDSN)
	if err != nil {
		return "", c.errorAt("store.postgres.dsnFile", err)
	}
	return strings.TrimSpace(string(text)), nil
}
