// Package drill runs a load through the whole system while something happens to it, and counts what failed: a client's
// secret is replaced, the issuer's key is replaced, the issuer is away, the clocks differ.
//
// The system is the one that users run, in this process and for the time of the drill: the issuer of package cognito, a guarded
// service, and pods with the token client, their secrets mounted as Kubernetes mounts them. Only the life of a token may be
// shortened, so that a minute sees the renewals of a day.
//
// Start with [Run].
package drill
