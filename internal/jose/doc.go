// Package jose is compact JWS and JWK over the standard library's crypto: exactly what an access token of
// OAuth needs, and no more. It has no JSON serialization, no encryption, no HMAC, no "none", and it never
// follows or believes a key that a token brings along.
//
// A verifier starts with [ParseKeySet] and [Split]; an issuer starts with [Sign] and [AppendJWK].
package jose
