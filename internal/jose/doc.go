// Package jose is compact JWS and JWK over the standard library's crypto.
package jose
