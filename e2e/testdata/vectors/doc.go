// Package vectors pins the test vectors of other people that the tests of e2e/peers read. It is a module of its own because Wycheproof's asks
// for a newer Go than the rest of this repository does.
package vectors
