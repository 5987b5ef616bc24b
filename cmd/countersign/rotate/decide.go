package rotate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

// action is what a rotation does next.
type action string

const (
	begin   action = "stage"   // store a new secret beside the current one
	add     action = "add"     // make it Cognito's
	promote action = "promote" // prove it, and make it the first
	remove  action = "remove"  // wait, and take the old one away
	finish  action = "finish"  // forget the old one
)

// decide finds the next action. secrets are Cognito's ids of the live secrets, oldest first. It is a pure function of what
// can be seen, so that it does not matter which run did what.
func decide(stored provision.Stored, secrets []string) (action, error) {
	rotation := stored.Credential.Rotation
	switch {
	case stored.Pending != nil:
		return decideStaged(*stored.Pending, secrets)
	case rotation == nil && len(secrets) == 1:
		return begin, nil
	case rotation == nil:
		return "", fmt.Errorf("the app client has %d secrets that this program did not make: %s; remove the one that is not stored with: aws cognito-idp delete-user-pool-client-secret",
			len(secrets), strings.Join(secrets, ", "))
	case slices.Contains(secrets, rotation.OldID) && len(secrets) > 1:
		return remove, nil
	case slices.Contains(secrets, rotation.OldID):
		return "", fmt.Errorf("the new secret was removed by somebody else, and %s is the only one left; store it again with: countersign provision", rotation.OldID)
	}
	return finish, nil
}

// decideStaged: Cognito: an app client has two secrets at most, so that with two of them the staged one is Cognito's; the
// proof before the promotion shows it.
func decideStaged(next provision.Credential, secrets []string) (action, error) {
	switch known := next.Rotation != nil && slices.Contains(secrets, next.Rotation.OldID); {
	case known && len(secrets) == 1:
		return add, nil
	case len(secrets) == 0:
		return "", fmt.Errorf("the app client has no secret")
	}
	return promote, nil
}
