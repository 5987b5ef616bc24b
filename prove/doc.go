// Package prove proves that a service refuses and admits what its policy says.
//
// From a [countersign.Policy] it makes the cases that people write by hand for one route and forget for the others: no token is 401,
// a token without the scope is 403, the right scope is admitted, and none of the bad tokens ([BadTokens]) passes. It sends
// them to a handler in this process ([Handler]) or to an address ([URL]), so that the same cases run in the unit
// test, on the laptop and on the cluster, and it says of each what was proved, what differs and what cannot be proved.
//
// It is not a scanner: it guesses no routes and knows no attacks on what the handlers do. Start with [Run].
package prove
