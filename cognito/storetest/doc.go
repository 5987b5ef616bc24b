// Package storetest is the conformance suite of a cognito.Store.
package storetest
