// Package chaos makes an issuer fail on purpose: slow answers, errors, unknown key ids and answers that end in the middle,
// each in a stated percentage of requests, and the same again for the same seed.
//
// It knows nothing of tokens but where an answer has one. Start with [Parse] and [New].
package chaos
