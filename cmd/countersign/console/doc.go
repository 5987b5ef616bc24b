// Package console is one web page: who may call what.
//
// It shows the policy of a running service against the app clients of its pool, with the last proof, so that a reviewer
// sees in one place what the code, the issuer and the test say. It shows no secret and no token, changes nothing, and needs
// no script: it is a page to read, not an administration console.
//
// Start with [New]. [Describe] makes the [View] of a policy and what the issuer holds.
package console
