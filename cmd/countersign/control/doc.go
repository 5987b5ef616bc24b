// Package control steers a running issuer in a test: faults, quotas and the clock, over HTTP on a listener of its own.
//
// Whoever reaches it decides when tokens end, so that it is for loopback only; it refuses what a web page could send.
// Start with [New]; [Clock] is the clock that it sets.
package control
