package issuer

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cognito"
)

// A Role is what the holder of an access key may do.
type Role string

// The roles.
const (
	Admin    Role = "admin"     // every operation
	ReadOnly Role = "read-only" // operations that change nothing: Describe…, Get… and List…
)

func (r Role) validate() error {
	if slices.Contains([]Role{"", Admin, ReadOnly}, r) {
		return nil
	}
	return fmt.Errorf("the role is neither %s nor %s", Admin, ReadOnly)
}

// permits is the rule of AWS' own managed policy AmazonCognitoReadOnly. As there, who may describe an app client sees its
// secret.
func (r Role) permits(operation string) bool {
	if r != ReadOnly {
		return true
	}
	for _, verb := range []string{"Describe", "Get", "List"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}

// authorize returns AWS' answer to a user who may not do what is asked.
func (c Credentials) authorize(operation, region, account string) error {
	if c.Role.permits(operation) {
		return nil
	}
	if !isPlain(operation) { // it goes into a message
		operation = "*"
	}
	return &cognito.APIError{Code: "AccessDeniedException", Status: http.StatusBadRequest, Message: fmt.Sprintf(
		"User: arn:aws:iam::%[4]s:user/%[1]s is not authorized to perform: cognito-idp:%[2]s on resource: arn:aws:cognito-idp:%[3]s:%[4]s:userpool/* "+
			"because no identity-based policy allows the cognito-idp:%[2]s action", c.user(), operation, region, account)}
}

// user is how the holder is named.
func (c Credentials) user() string { return cmp.Or(c.Name, c.AccessKeyID) }

// User returns the holder of the access key that the request names, without its secret; nobody if it names none that is known.
// Whether the signature is the holder's, Authenticate has to say.
func (s *SigV4) User(r *http.Request) Credentials {
	a, err := authorizationOf(r)
	if err != nil {
		return Credentials{}
	}
	user := s.users[a.accessKeyID]
	user.SecretAccessKey = ""
	return user
}

// operation is the last part of X-Amz-Target, which is signed.
func operation(r *http.Request) string {
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return name
}

// isUserName: IAM: letters, digits and +=,.@_-, at most 64 characters. The empty name is allowed here.
func isUserName(s string) bool {
	return len(s) <= 64 && strings.IndexFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("+=,.@_-", r)
	}) < 0
}
