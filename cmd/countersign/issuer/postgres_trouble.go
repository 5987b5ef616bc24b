package issuer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

// These say what is wrong with a PostgreSQL database, as ErrCorrupt and its like do.
var (
	errAbsent    = errors.New("the server does not answer")
	errReadOnly  = errors.New("the server accepts no writes")
	errForbidden = errors.New("the server refuses this user")
	errCrowded   = errors.New("the server has no connection left")
	errUntrusted = errors.New("the server's certificate is not trusted")
	errPooled    = errors.New("the server is reached through a pooler in transaction mode")
)

// postgresAdvice is what a person does next.
var postgresAdvice = map[error]string{
	ErrCorrupt:  "restore a backup",
	ErrDiskFull: "nothing was written; make room on the server and try again",
	errNewer:    "nothing was changed; start the newer version here too",
	errOlder:    "start every replica again, which brings it up to date",
	errResealed: "start every replica again with the key file that it is sealed under now",
	errAbsent:   "check that it runs, its address in the DSN, and the network in between",
	errReadOnly: "a standby, or one in recovery? name the primary, or several hosts with target_session_attrs=read-write",
	errForbidden: "check user, password and database in the DSN, and what the user may do: CREATE in its schema for the first start " +
		"and for a new version, SELECT, INSERT, UPDATE and DELETE on the tables",
	errCrowded:       "raise max_connections, or run fewer replicas: each needs up to 5",
	errUntrusted:     "name the authority's certificate with sslrootcert in the DSN, and the host as the certificate has it",
	errPooled:        "name the server itself in the DSN, or a pooler in session mode: statements, locks and LISTEN belong to a session",
	seal.ErrOtherKey: "every replica needs the same key file",
}

// explain wraps an error with the operation, the database, and, where the cause is known, the next step. What pgx says is
// kept as text: its errors hold the whole configuration, in which the password is.
func (p *Postgres) explain(operation string, err error) error {
	switch {
	case err == nil, errors.Is(err, cognito.ErrConflict):
		return err
	case p.closed.Load():
		return cognito.ErrClosed
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("issuer: %s %s: %w", operation, p.name, context.Canceled)
	}
	cause := postgresCause(err)
	if cause == errReadOnly {
		p.pool.Reset() // perhaps there is another primary by now; whoever connects again finds it
	}
	switch {
	case cause == nil:
		return fmt.Errorf("issuer: %s %s: %v", operation, p.name, err)
	case errors.Is(err, cause):
		return fmt.Errorf("issuer: %s %s: %w; %s", operation, p.name, err, postgresAdvice[cause])
	}
	return fmt.Errorf("issuer: %s %s: %w (%v); %s", operation, p.name, cause, err, postgresAdvice[cause])
}

func postgresCause(err error) error {
	for cause := range postgresAdvice {
		if errors.Is(err, cause) {
			return cause
		}
	}
	if errors.Is(err, pgx.ErrNoRows) { // every row that is asked for singly is written when the tables are made
		return ErrCorrupt
	}
	var e *pgconn.PgError
	if errors.As(err, &e) && len(e.Code) == 5 {
		return causeOfState(e.Code)
	}
	if isUntrusted(err) {
		return errUntrusted
	}
	if isAbsent(err) {
		return errAbsent
	}
	return nil
}

func isUntrusted(err error) bool {
	var e *tls.CertificateVerificationError
	return errors.As(err, &e)
}

// causeOfState reads an SQLSTATE (PostgreSQL, Appendix A), of which the first two characters are the class.
func causeOfState(state string) error {
	switch state {
	case "53100": // disk_full
		return ErrDiskFull
	case "53300": // too_many_connections
		return errCrowded
	case "25006": // read_only_sql_transaction
		return errReadOnly
	case "42501", "3D000": // insufficient_privilege, invalid_catalog_name
		return errForbidden
	case "57P01", "57P02", "57P03": // admin_shutdown, crash_shutdown, cannot_connect_now
		return errAbsent
	case "42P05", "26000": // duplicate_prepared_statement, invalid_sql_statement_name: somebody else's session, or one that is gone
		return errPooled
	case "XX001", "XX002": // data_corrupted, index_corrupted
		return ErrCorrupt
	}
	switch state[:2] {
	case "28": // invalid authorization
		return errForbidden
	case "08": // connection exception
		return errAbsent
	}
	return nil
}

// isAbsent holds for a server that is not there at the moment, which may change by itself.
func isAbsent(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return causeOfState(e.Code) == errAbsent
	}
	if isUntrusted(err) { // nor does that change by itself
		return false
	}
	var network *net.OpError
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || pgconn.SafeToRetry(err)
}
