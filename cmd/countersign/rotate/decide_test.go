package rotate

import (
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

// These tests are inside the package: what a rotation does next has no exported door of its own.

func TestDecide(t *testing.T) {
	plain := provision.Stored{Found: true, Credential: provision.Credential{ClientID: "c", ClientSecret: "old"}}
	next := provision.Credential{ClientID: "c", ClientSecret: "new", Second: "old", Rotation: &provision.Rotation{OldID: "1"}}
	staged := plain
	staged.Pending = &next
	promoted := provision.Stored{Found: true, Credential: next}
	for _, c := range []struct {
		name    string
		stored  provision.Stored
		secrets []string
		want    action
		refused string
	}{
		{"nothing under way", plain, []string{"1"}, begin, ""},
		{"two secrets of somebody else", plain, []string{"1", "2"}, "", "2 secrets that this program did not make: 1, 2"},
		{"no secret at all", plain, nil, "", "0 secrets"},
		{"stored, and not Cognito's yet", staged, []string{"1"}, add, ""},
		{"stored and Cognito's", staged, []string{"1", "2"}, promote, ""},
		{"the old one was removed by hand", staged, []string{"2"}, promote, ""},
		{"both went", staged, nil, "", "no secret"},
		{"the new one is the first", promoted, []string{"1", "2"}, remove, ""},
		{"the old one is gone", promoted, []string{"2"}, finish, ""},
		{"the new one was removed by hand", promoted, []string{"1"}, "", "countersign provision"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decide(c.stored, c.secrets)
			if got != c.want || (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
				t.Errorf("got %q, %v; want %q, %q", got, err, c.want, c.refused)
			}
		})
	}
}

// Cognito: ClientSecretType is [\w+]+, 24 to 64 characters.
func TestNewSecret(t *testing.T) {
	one, other := newSecret().Reveal(), newSecret().Reveal()
	if len(one) != 52 || strings.Trim(one, "0123456789abcdefghijklmnopqrstuv") != "" || one == other {
		t.Error("not 256 bits in base 32, or not random")
	}
}
