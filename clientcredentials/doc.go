// Package clientcredentials is the token client: it gets access tokens with the client_credentials grant
// (RFC 6749, Section 4.4), keeps one until shortly before it ends, and puts it on outgoing requests.
//
// It asks the issuer as seldom as it can, because an issuer bills and limits token requests: any number of
// callers share one request, a token is renewed in the background at about three quarters of its life and
// only when somebody uses it, and a failing issuer is asked less and less often while the old token serves.
//
// It is no verifier (package countersign is), it runs no other grant, and it keeps nothing on disk.
//
// Start with [New]; [Source.Transport] is what most programs need, [Source.Token] what the others do.
package clientcredentials
