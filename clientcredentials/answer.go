package clientcredentials

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// maxToken bounds an access token in bytes: servers refuse headers much over it.
const maxToken = 16 << 10

// maxLife bounds expires_in, so that no arithmetic overflows.
const maxLife = 365 * 24 * time.Hour

// grant is a successful answer (RFC 6749, Section 5.1).
type grant struct {
	accessToken string
	life        time.Duration // 0 when the answer does not say
	scopes      []string      // nil when the answer does not say
	at          time.Time     // when the issuer answered, by its own clock; zero when it does not say
}

var errAnswer = errors.New("the answer is not the JSON object that the protocol asks for")

// parseGrant reads the answer of a token endpoint.
func parseGrant(body []byte) (grant, error) {
	object, err := members(body)
	if err != nil {
		return grant{}, errAnswer
	}
	return grantOf(object, "access_token", "token_type", "expires_in")
}

// parseClientTokenResult reads the answer of Cognito's GetClientToken, which holds the same under other names.
func parseClientTokenResult(body []byte) (grant, error) {
	object, err := members(body)
	if err != nil {
		return grant{}, errAnswer
	}
	result, err := members(object["ClientAuthenticationResult"])
	if err != nil {
		return grant{}, errAnswer
	}
	return grantOf(result, "AccessToken", "TokenType", "ExpiresIn")
}

func grantOf(object map[string]json.RawMessage, accessToken, tokenType, expiresIn string) (grant, error) {
	var g grant
	token, kind := text(object[accessToken]), text(object[tokenType])
	switch {
	case !bearerToken(token):
		return g, errors.New("the answer has no " + accessToken + " that RFC 6750, Section 2.1 allows in a header")
	case !strings.EqualFold(kind, "Bearer"):
		// RFC 6749, Section 7.1: the client MUST NOT use an access token of a type that it does not understand.
		return g, errors.New("the answer's " + tokenType + " is not Bearer")
	}
	g.accessToken = token
	var err error
	if raw, found := object[expiresIn]; found {
		if g.life, err = seconds(raw); err != nil {
			return grant{}, errors.New("the answer's " + expiresIn + " is not a positive number of seconds")
		}
	}
	if scope := text(object["scope"]); scope != "" {
		if g.scopes, err = oauth.ParseScope(scope); err != nil {
			return grant{}, errors.New("the answer's scope is malformed")
		}
	}
	return g, nil
}

// seconds reads expires_in. RFC 6749, Section 5.1 has a number; some issuers send it as a string.
func seconds(raw json.RawMessage) (time.Duration, error) {
	number := string(raw)
	if s := text(raw); s != "" {
		number = s
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || f <= 0 {
		return 0, errAnswer
	}
	if f > maxLife.Seconds() {
		return maxLife, nil
	}
	d := time.Duration(f * float64(time.Second))
	if d == 0 {
		return 0, errAnswer // zero stands for no answer here
	}
	return d, nil
}

// bearerToken checks RFC 6750, Section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=".
// A line end in a token would let an issuer write headers of its own into every request.
func bearerToken(s string) bool {
	body := strings.TrimRight(s, "=")
	if body == "" || len(s) > maxToken {
		return false
	}
	for i := range len(body) {
		c := body[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune("-._~+/", rune(c)) {
			return false
		}
	}
	return true
}

// claims are what a client may want of an access token that is a JWT. It is the resource server's to verify;
// here a claim can only shorten the life of a token, never lengthen it.
type claims struct {
	expiry   float64 // NumericDate
	timed    bool    // there is an expiry
	issuedAt float64 // NumericDate; 0 when absent
	scopes   []string
}

// claimsOf reads the claims of a JWT, and nothing of a token that is none.
func claimsOf(token string) claims {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return claims{}
	}
	object, err := members(payload)
	if err != nil {
		return claims{}
	}
	var c claims
	// RFC 7519, Section 2: a NumericDate may have a fraction.
	c.expiry, c.timed = number(object["exp"])
	c.issuedAt, _ = number(object["iat"])
	c.scopes, _ = oauth.ParseScope(text(object["scope"]))
	return c
}

func number(raw json.RawMessage) (float64, bool) {
	var f *float64
	if json.Unmarshal(raw, &f) != nil || f == nil {
		return 0, false
	}
	return *f, true
}

// members splits one JSON object. Names are compared exactly and may not repeat: encoding/json alone would
// take "Access_Token" for "access_token" and the last of two.
func members(data []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errAnswer
	}
	object := make(map[string]json.RawMessage)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errAnswer
		}
		key, ok := name.(string)
		if _, repeated := object[key]; !ok || repeated {
			return nil, errAnswer
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil, errAnswer
		}
		object[key] = value
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, errAnswer
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errAnswer
	}
	return object, nil
}

// text returns a JSON string, and "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
