// Package portable carries a user pool between an issuer, a file and Amazon Cognito, with the ids that it has.
//
// What a pool consists of and which of it is valid is package cognito's, whose JSON document this package writes as YAML, reads
// from YAML, and makes of the answers of a real Cognito. Start with [Encode], [Decode] and [FromAWS].
package portable
