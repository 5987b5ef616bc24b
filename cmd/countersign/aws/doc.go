// Package aws is how the program talks to AWS: one configuration of the SDK for every service (region, endpoint,
// credentials, retry), and errors that say what to do.
//
// It calls no service itself. Start with [Load] and [Explain].
package aws
