// Package cognito is the machine-to-machine half of Amazon Cognito as a Go value: user pools with domains, resource
// servers and app clients, the client_credentials grant, and the keys that its access tokens are signed with. It is
// what a unit test, a laptop and a durable issuer share, so that all three follow one reading of Cognito's rules.
//
// It is not an identity provider: it knows no users, no passwords, no sign-in pages and no id tokens. What it does not
// do it refuses by name, and docs/cognito-compatibility.md lists all of it.
//
// Start with [New], which returns a [Service]; [Handler] serves it over HTTP. The rules are pure functions over an
// immutable snapshot, in files named after the noun that they are about; a [Store] keeps the records.
package cognito
