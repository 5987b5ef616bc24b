package cognito

import (
	"slices"
	"testing"
)

// TestWhatIsNotSaidIsNotWritten: a member of an update's input that JSON always has would count as said, and its reset would
// not be named.
func TestWhatIsNotSaidIsNotWritten(t *testing.T) {
	for _, input := range []any{
		UpdateUserPoolInput{}, UpdateUserPoolClientInput{}, UpdateResourceServerInput{}, UpdateUserPoolDomainInput{}, SetUserPoolMfaConfigInput{},
	} {
		for name := range settings(input) {
			if !slices.Contains(alwaysWritten, name) {
				t.Errorf("%T: %s is written when it is not said", input, name)
			}
		}
	}
}
