// Package awsissuer lets an issuer on this machine answer at Amazon Cognito's own addresses, for programs that have them
// built in: it is an HTTPS proxy for exactly those hosts, and ends their TLS itself.
//
// It is no general proxy: every other host is refused. Nothing is changed on the machine; a program takes part when it
// uses the proxy and trusts the authority that [NewAuthority] makes. Start with [New].
package awsissuer
