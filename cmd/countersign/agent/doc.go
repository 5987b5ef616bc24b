// Package agent holds the tokens of a node's programs: they ask for them on a Unix socket, without a secret, and any number of
// them costs the issuer one token request.
//
// The kernel says which user is at the other end of the socket (SO_PEERCRED), and the configuration which users may have
// which client's tokens. The agent has the secrets; they and the tokens stay in its memory, and nothing is written to a disk.
// A program asks with clientcredentials.Peer, or with any HTTP client that speaks over a Unix socket.
//
// Start with [ReadFile] and [New].
package agent
