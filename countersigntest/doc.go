// Package countersigntest tests a guarded service with really signed tokens.
package countersigntest
