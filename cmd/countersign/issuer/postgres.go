package issuer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

// Postgres is a [cognito.Store] in a PostgreSQL database, for several replicas of an issuer. [OpenPostgres] makes one.
//
// Its tables are those whose names begin with countersign_, in the first schema of the connection's search_path.
type Postgres struct {
	name   string // for errors: host, port and database, never the DSN
	sealer *seal.Sealer
	dsn    func() (string, error)
	pool   *pgxpool.Pool
	clear  bool
	closed atomic.Bool
}

var (
	_ cognito.Store   = (*Postgres)(nil)
	_ cognito.Watcher = (*Postgres)(nil)
)

// An issuer writes rarely and reads what others wrote: a few connections are enough, and a hundred replicas still fit into
// one server. The one that listens comes on top.
const (
	poolSize        = 4
	poolIdle        = 5 * time.Minute
	poolLifetime    = 30 * time.Minute // so that replicas spread again after a failover
	connectTimeout  = 5 * time.Second
	operationLimit  = 10 * time.Second // a commit, or a look at what others have committed
	loadLimit       = 2 * time.Minute
	startPatience   = 10 * time.Second // how long a start waits for a server that is starting itself
	applicationName = "countersign"
)

// OpenPostgres connects to the database that the DSN names, a URL (postgres://user@host:5432/name?sslmode=verify-full) or
// libpq's keywords, with libpq's environment variables and password file. It brings the schema up to date; replicas that
// start at once do that one after the other. The sealer must be the one that sealed what the database holds.
//
// A server that does not answer, or that is starting up, is tried again for ten seconds.
func OpenPostgres(ctx context.Context, dsn string, sealer *seal.Sealer) (*Postgres, error) {
	return OpenPostgresOf(ctx, func() (string, error) { return dsn, nil }, sealer)
}

// OpenPostgresOf is [OpenPostgres] with a DSN whose user and password may change while the store is open: it is asked for again for
// each connection. Of the rest, what it said first holds.
func OpenPostgresOf(ctx context.Context, dsn func() (string, error), sealer *seal.Sealer) (*Postgres, error) {
	text, err := dsn()
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		return nil, errDSN
	}
	setLimits(config)
	p := &Postgres{name: databaseName(config.ConnConfig), sealer: sealer, dsn: dsn, clear: inClear(config.ConnConfig)}
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error { return p.logIn(c) }
	if p.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, p.explain("open", err)
	}
	if err := p.prepare(ctx); err != nil {
		p.pool.Close()
		return nil, p.explain("open", err)
	}
	return p, nil
}

// errDSN has no cause: that quotes parts of the DSN, and a password with a slash in it looks like a port to it.
var errDSN = errors.New("issuer: the DSN of the database cannot be read; write postgres://user@host:5432/name?sslmode=verify-full, " +
	"with the password in PGPASSWORD or in a password file, or escaped as in a URL")

// logIn gives a connection that is about to be made the user and the password that the DSN has now.
func (p *Postgres) logIn(c *pgx.ConnConfig) error {
	text, err := p.dsn()
	if err != nil {
		return err
	}
	now, err := pgx.ParseConfig(text)
	if err != nil {
		return errDSN
	}
	c.User, c.Password = now.User, now.Password
	return nil
}

// Close implements [cognito.Store].
func (p *Postgres) Close() error {
	if !p.closed.Swap(true) {
		p.pool.Close()
	}
	return nil
}

func setLimits(config *pgxpool.Config) {
	config.MaxConns = poolSize
	config.MinConns = 0
	config.MaxConnIdleTime = poolIdle
	config.MaxConnLifetime = poolLifetime
	config.MaxConnLifetimeJitter = poolLifetime / 4
	if config.ConnConfig.ConnectTimeout == 0 || config.ConnConfig.ConnectTimeout > time.Minute { // pgx's default is two minutes
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = applicationName
	}
}

// InClear says whether the DSN lets the connection cross a network without TLS, as sslmode does where it is left out: the names of
// clients, their scopes and settings, and whatever somebody in between puts into their place. Secrets are sealed.
func (p *Postgres) InClear() bool { return p.clear }

// inClear: sslmode=prefer, which is libpq's default, tries TLS first and then goes on without it.
func inClear(c *pgx.ConnConfig) bool {
	clear := func(host string, secure *tls.Config) bool {
		ip, err := netip.ParseAddr(host)
		local := strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
		return secure == nil && !local
	}
	return clear(c.Host, c.TLSConfig) || slices.ContainsFunc(c.Fallbacks, func(f *pgconn.FallbackConfig) bool { return clear(f.Host, f.TLSConfig) })
}

func databaseName(c *pgx.ConnConfig) string {
	return fmt.Sprintf("postgres %s:%d/%s", c.Host, c.Port, c.Database)
}

// prepare is patient with a server that starts at the same moment, as in a compose file, and with nothing else.
func (p *Postgres) prepare(ctx context.Context) error {
	patience, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := p.migrate(ctx)
		if err == nil || !isAbsent(err) {
			return err
		}
		select {
		case <-patience.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// retries are the waits before another attempt when the connection broke. After a failover, all that the pool holds is
// broken, and whoever asks first would otherwise hear of it.
var retries = []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond}

// attempt does what may be done twice.
func (p *Postgres) attempt(ctx context.Context, do func() error) error {
	for _, wait := range retries {
		err := do()
		if err == nil || !isAbsent(err) || ctx.Err() != nil {
			return err
		}
		p.pool.Reset()
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
	return do()
}
