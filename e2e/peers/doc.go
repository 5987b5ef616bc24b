// Package peers holds the library to what others say: test vectors of other people, verifiers of other people that
// read the same tokens, clients and verifiers of other people that talk to the issuer. A difference is a failure, or it
// stands in a table with the reason why it is right. It has tests only.
package peers
