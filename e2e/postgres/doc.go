// Package postgres holds the issuer's PostgreSQL store to its contract on a real server, which the tests start themselves:
// conformance, crashes, failover and replicas.
//
// It is a module of its own, so that neither the program nor the other end-to-end tests need PostgreSQL. A machine
// without it fails the tests; Debian's package is postgresql.
package postgres
