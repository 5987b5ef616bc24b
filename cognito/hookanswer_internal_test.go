package cognito

import (
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzHookAnswer: what is accepted is accepted again in its own encoding, with the same effect; and whatever the answer
// says, no claim that is the issuer's comes twice or changes.
func FuzzHookAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"response":{"claimsAndScopeOverrideDetails":{"accessTokenGeneration":{"claimsToAddOrOverride":{"a":1,"b":[true,"x"],"c":{"d":null}},"scopesToAdd":["x/y"],"claimsToSuppress":["a"],"scopesToSuppress":["z"]}}}}`,
		`{"response":{"claimsAndScopeOverrideDetails":null}}`, `{"response":{"claimsAndScopeOverrideDetails":{"accessTokenGeneration":{"claimsToAddOrOverride":{"sub":"x"}}}}}`, `{}`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		g, err := readHookAnswer(text)
		if err != nil {
			return
		}
		encoded, err := json.Marshal(map[string]any{"response": map[string]any{"claimsAndScopeOverrideDetails": map[string]any{"accessTokenGeneration": g}}})
		if err != nil {
			t.Fatal(err)
		}
		again, err := readHookAnswer(encoded)
		if err != nil {
			t.Fatalf("%s: %v", encoded, err)
		}
		scopes, further, err := g.apply("client", []string{"a/b"})
		scopes2, further2, err2 := again.apply("client", []string{"a/b"})
		if (err == nil) != (err2 == nil) || !reflect.DeepEqual(scopes, scopes2) || string(further) != string(further2) {
			t.Fatalf("%s: (%v, %s, %v), then (%v, %s, %v)", text, scopes, further, err, scopes2, further2, err2)
		}
		if err != nil || len(further) == 0 {
			return
		}
		var claims map[string]json.RawMessage
		if err := json.Unmarshal(append([]byte(`{"first":1`), append(further, '}')...), &claims); err != nil {
			t.Fatalf("%s: %v", further, err)
		}
		for _, name := range immutableClaims {
			if claims[name] != nil {
				t.Fatalf("%s has %s", further, name)
			}
		}
	})
}
