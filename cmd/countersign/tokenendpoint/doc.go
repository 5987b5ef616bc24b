// Package tokenendpoint is what the local token endpoints have in common, those of `countersign agent` and `countersign
// tokenproxy`: reading a token request of the client_credentials grant, answering it, metrics, and a server that drains.
//
// It knows no issuer and holds no token. Start with [Read] and [Grant.Write].
package tokenendpoint
