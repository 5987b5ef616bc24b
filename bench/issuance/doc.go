// Command issuance measures how fast the built issuer gives out tokens over HTTP, beside the least that any server in Go could do:
// a bare net/http handler that signs the same claims with the same kind of key, and the signature alone.
//
//	GOWORK=off go -C bench run ./issuance
//
// Servers are processes of their own; the load is 16 connections that are kept open, in this process, on the same processors. It runs on
// Linux, for epoll(7) and proc(5).
// Contenders take turns in short slices, so that a machine that slows down for a minute slows all of them.
package main
