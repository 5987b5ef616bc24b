// Package tokenproxy is a token endpoint in front of another one, Cognito's for instance, that gives many callers one
// token: requests with the same client, secret and scopes share it until it is due for renewal.
//
// A secret is never kept. An entry's key is a keyed hash of all that decides what is in the token, with a key that is
// made at the start and never leaves the process; a request with another secret has another key, so it is asked for at the
// issuer and never answered from memory. Expires_in is what is left. Nothing is written to a disk.
//
// Start with [New].
package tokenproxy
