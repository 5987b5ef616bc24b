package peers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"

	"github.com/countersign-dev/countersign/internal/jose"
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

// TestKeySetsOfRFC7517 reads the sets of its Appendix A. Only what verifies signatures is a key here.
func TestKeySetsOfRFC7517(t *testing.T) {
	const (
		n  = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
		ec = `"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"`
		d  = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"
	)
	rsa := `"kty":"RSA","n":"` + n + `","e":"AQAB","alg":"RS256","kid":"2011-04-29"`
	for name, test := range map[string]struct {
		set  string
		want []string // kids
	}{
		"A.1: of the public keys, the one that is not for encryption": {`{"keys":[{` + ec + `},{` + rsa + `}]}`, []string{"2011-04-29"}},
		"A.2: private keys are no keys":                               {`{"keys":[{` + ec + `,"d":"` + d + `"},{` + rsa + `,"d":"` + d + `"}]}`, nil},
		"A.3: symmetric keys are no keys":                             {`{"keys":[{"kty":"oct","alg":"A128KW","k":"GawgguFyGrWKav7AX4VKUg"},{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow","kid":"HMAC key used in JWS spec Appendix A.1 example"}]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := jose.ParseKeySet([]byte(test.set))
			if (err == nil) != (test.want != nil) {
				t.Fatal(err)
			}
			var got []string
			if err == nil {
				for _, k := range set.Keys() {
					got = append(got, k.ID())
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%q", got)
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
