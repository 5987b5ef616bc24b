package issuer

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/countersign-dev/countersign/cognito"
)

// listenSilence is after how long without a notification the connection that listens is asked whether it still lives: a
// server that was unplugged says nothing.
const listenSilence = 5 * time.Second

// Watch implements [cognito.Watcher] with LISTEN: it also calls changed after commits of this store's own, and of another
// issuer in the same database.
func (p *Postgres) Watch(ctx context.Context, changed func()) error {
	if p.closed.Load() {
		return cognito.ErrClosed
	}
	conn, err := p.listen(ctx)
	if err != nil {
		return p.explain("listen to", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	changed()
	for {
		if err := p.await(ctx, conn); err != nil {
			return p.explain("listen to", err)
		}
		changed()
	}
}

// listen connects apart from the pool, in which a connection that only waits would be missing.
func (p *Postgres) listen(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	config := p.pool.Config().ConnConfig // a copy
	if err := p.logIn(config); err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+notifyChannel); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

// await returns after a notification.
func (p *Postgres) await(ctx context.Context, conn *pgx.Conn) error {
	for {
		err := within(ctx, listenSilence, func(ctx context.Context) error {
			_, err := conn.WaitForNotification(ctx)
			return err
		})
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if err := within(ctx, connectTimeout, conn.Ping); err != nil {
			return err
		}
	}
}

func within(ctx context.Context, limit time.Duration, wait func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return wait(ctx)
}
