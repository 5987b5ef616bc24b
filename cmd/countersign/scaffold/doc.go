// Package scaffold begins a service that Countersign guards: in an empty Go module it writes one with three routes, its
// tests, its policy file and a CI job; in a module that has routes it writes their tests and the job. What it writes passes its own
// tests as it stands. It never overwrites a file.
//
// Start with [New]; [Plan.Write] does what it found to be done.
package scaffold
