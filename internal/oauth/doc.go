// Package oauth is the vocabulary that client, issuer and resource server share: the error codes of the
// RFCs, the scope grammar, the Basic header of client authentication, which hosts are this machine, and a
// [Secret] that does not print.
// It holds no protocol: what to do with the words is each package's own reading of the RFCs.
// Start with [ParseScope] and [BasicHeader].
package oauth
