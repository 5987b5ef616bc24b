// Package client runs the token client against what others wrote: the issuer oidc-provider, which takes every way of client
// authentication that the client has, and go-jose, which reads the assertions as an issuer would. A tool that is missing
// fails the test.
package client
