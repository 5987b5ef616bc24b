// Package cost counts the tokens of app clients by day, and works out what Amazon Cognito would bill for them.
//
// Counting costs no write: a [Meter] keeps its counts in memory and writes them to a file every minute. Prices are data with a
// date, since they change. Start with [NewMeter], which an issuer counts with, and [Read], which the bill is made from.
package cost
