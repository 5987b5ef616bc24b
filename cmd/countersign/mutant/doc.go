// Package mutant tells which rules of a service its tests would miss: it runs the tests with each rule knocked out in turn, and a rule
// whose loss no test notices is named.
//
// The rules are found by the types of the code. In a copy of each file that exists only as an overlay (go help build), every rule is passed
// through a function that leaves it as it is, unless the environment asks for one of its mutants. So the tests are built once and run
// once for each mutant, and the user's tree is not touched.
//
// Start with [Run].
package mutant
