package peers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"
)

// TestExamplesOfTheRFCs holds the library to the examples of RFC 7515, 7520, 7797 and 8037: what it takes it verifies, and what it does not
// take is refused for the reason that the file has.
func TestExamplesOfTheRFCs(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "rfc.json"))
	if err != nil {
		t.Fatal(err)
	}
	var examples []struct {
		Name     string          `json:"name"`
		Key      json.RawMessage `json:"key"`
		JWS      string          `json:"jws"`
		Accepted bool            `json:"accepted"`
		Why      string          `json:"why"`
	}
	if err := json.Unmarshal(data, &examples); err != nil {
		t.Fatal(err)
	}
	if len(examples) != 17 {
		t.Errorf("%d examples were found", len(examples))
	}
	for _, e := range examples {
		t.Run(e.Name, func(t *testing.T) {
			if e.Accepted == (e.Why != "") {
				t.Error("what is refused has a reason, and what is accepted has none")
			}
			if _, err := verifyJWS(asSet(e.Key), e.JWS); e.Accepted != (err == nil) {
				t.Errorf("verify: %v", err)
			}
			if !confirmed(e.Key, e.JWS) {
				t.Error("another library does not verify the example either: it was copied wrongly")
			}
		})
	}
}

// everything is more than anybody should accept; here it shows that an example is intact.
var everything = []gojose.SignatureAlgorithm{
	gojose.RS256, gojose.ES256, gojose.ES512, gojose.PS384, gojose.HS256, gojose.EdDSA,
}

// confirmed asks go-jose about an example. It says nothing about the few that it does not take either: detached content and no signature.
func confirmed(key json.RawMessage, jws string) bool {
	if strings.HasSuffix(jws, ".") || strings.Contains(jws, "..") {
		return true
	}
	parse := gojose.ParseSignedCompact
	if strings.HasPrefix(jws, "{") {
		parse = gojose.ParseSignedJSON
	}
	var jwk gojose.JSONWebKey
	if json.Unmarshal(key, &jwk) != nil {
		return false
	}
	message, err := parse(jws, everything)
	if err != nil {
		return false
	}
	_, _, _, err = message.VerifyMulti(jwk)
	return err == nil
}
