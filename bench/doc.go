// Package bench measures the guard and the token client beside their peers, in one process and in the same minutes: a
// figure that was measured elsewhere, or yesterday, compares machines.
//
// It is a module of its own: what it needs must not enter a user's build. Start with [Rows], the table of what is measured.
// bench/run prints the report; go test -bench measures single rows, for benchstat.
package bench
