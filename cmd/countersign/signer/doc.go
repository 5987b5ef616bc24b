// Package signer says which code makes the signatures of the issuer's RSA keys: Go's own, in the default build, or OpenSSL's
// libcrypto, in one that was made with the build tag openssl, which signs two to three times as fast and links to that library.
//
// Start with [Accelerate], which fits cognito.Config.Accelerate, and [Name], which the issuer logs when it starts.
package signer
