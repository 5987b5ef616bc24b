// Package awssecrets gives package clientcredentials the credentials that AWS Secrets Manager keeps.
//
// The secret is the JSON object that `countersign provision` writes and clientcredentials.File reads, with client_id,
// client_secret and, when two secrets are live, client_secret_2. The version with the stage AWSCURRENT is used; when the issuer refuses it,
// it is read again, and after it the version AWSPENDING, so that a rotation in either order fails no call.
//
// It is a module of its own, for the SDK that it brings along. Start with [New].
package awssecrets
