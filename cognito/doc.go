// Package cognito is the machine-to-machine half of Amazon Cognito as a Go value.
package cognito
