// Package serve is the issuer in production: one configuration file, a store that lasts or is shared, TLS certificates that
// are read again when they change, access keys with roles, probes for an orchestrator, and an end that fails no request.
//
// It holds no rule of Cognito, which is package cognito's, and no store, which is package issuer's.
// Start with [Load], which reads the file, and [Start], which serves it.
package serve
