// Package issuer measures the start of the built program, countersign issuer, over a small store and a large one: until it
// listens, until its first token, the processor time and the memory of it; and, in the same run, the floor of the
// large one. go test -v prints the figures and holds them to what is promised; processor time and memory, since
// the clock on the wall measures whatever else runs on the machine.
//
// It is a module of its own, because it stands on the program.
package issuer
