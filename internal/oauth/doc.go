// Package oauth is the vocabulary that client, issuer and resource server share.
package oauth
