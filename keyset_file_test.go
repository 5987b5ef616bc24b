package countersign_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/jose"
)

// With pinned keys the issuer is asked nothing, neither at the start nor for a key that the file does not have.
func TestAGuardWithPinnedKeysAsksNobody(t *testing.T) {
	issuer, seen := newIssuer(pool), &observer{}
	set, err := jose.AppendJWK([]byte(`{"keys":[`), testKeys.first.Public(), "first", jose.RS256)
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err = errors.Join(err, os.WriteFile(file, append(set, "]}"...), 0o644)); err != nil {
		t.Fatal(err)
	}
	guard := issuer.guard(t, func(c *countersign.Config) { c.KeysFile, c.Observer = file, seen })
	api := demoAPI(guard)
	for range 2 {
		if res := serve(api, "GET", "/demo", "Bearer "+scoped("demo.read")); res.StatusCode != served {
			t.Errorf("status %d", res.StatusCode)
		}
	}
	if res := serve(api, "GET", "/demo", "Bearer "+sign(cognitoHeader.with("kid", `"second"`), cognitoClaims)); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a key that is not pinned: status %d", res.StatusCode)
	}
	if got := seen.text(func(e countersign.DecisionEvent) string { return fmt.Sprint(e.Cached, string(e.Reason)) }); got != "false true falseunknown_key" {
		t.Errorf("decisions %q", got)
	}
	if n := issuer.fetches.Load() + issuer.foreign.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
}
