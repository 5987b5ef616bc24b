package serve_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

// TestHalfALineInTheTrail: whoever was killed in the middle of a line, or had no room for its rest, costs that line and no other.
func TestHalfALineInTheTrail(t *testing.T) {
	c := configure(t, "drain: {wait: 0s}\naudit: {file: audit.jsonl}\n")
	const whole, half = `{"kind":"change"}` + "\n", `{"kind":"cha`
	if err := os.WriteFile(c.Audit.File, []byte(whole+half), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, c)
	if _, err := admin(t, s, c, "deployer").CreateUserPool(t.Context(), &idp.CreateUserPoolInput{PoolName: aws.String("orders")}); err != nil {
		t.Fatal(err)
	}
	s.Reload() // which opens the file anew, and finds it whole
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	trail, err := os.ReadFile(c.Audit.File)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(trail), "\n"), "\n")
	var made struct{ Operation string }
	if len(lines) != 3 || lines[1] != half || json.Unmarshal([]byte(lines[2]), &made) != nil || made.Operation != "CreateUserPool" {
		t.Errorf("the trail is\n%s", trail)
	}
}
