//go:build openssl && !cgo

package signer

// The build tag openssl without cgo would be an issuer that is slow and says that it is fast.
var _ = the_build_tag_openssl_needs_CGO_ENABLED_1
