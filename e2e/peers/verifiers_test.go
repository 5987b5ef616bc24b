package peers

import (
	"crypto"
	"errors"
	"slices"
	"strings"
	"time"

	gojose "github.com/go-jose/go-jose/v4"
	gojosejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"

	"github.com/countersign-dev/countersign"
)

// verifier says why it refuses a token, or nil.
type verifier func(token string) error

// leeway is the guard's default.
const leeway = time.Minute

// reasonOf is the reason of a refusal, and empty for none.
func reasonOf(err error) countersign.Reason {
	var reason countersign.Reason
	if err != nil && !errors.As(err, &reason) {
		return "?"
	}
	return reason
}

// golangJWT is golang-jwt/jwt as strict as it can be made, and what a careful user adds.
func golangJWT() verifier {
	parser := jwt.NewParser(jwt.WithValidMethods(algorithmNames()), jwt.WithExpirationRequired(), jwt.WithLeeway(leeway),
		jwt.WithStrictDecoding(), jwt.WithTimeFunc(func() time.Time { return now }))
	return func(token string) error {
		claims := jwt.MapClaims{}
		_, err := parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
			issuer, err := claims.GetIssuer()
			if err != nil {
				return nil, err
			}
			kid, _ := t.Header["kid"].(string)
			return publicKey(issuer, kid, t.Method.Alg())
		})
		if err != nil {
			return err
		}
		typ, _ := parserHeader(parser, token)["typ"].(string)
		return accessToken(typ, claims)
	}
}

func parserHeader(parser *jwt.Parser, token string) map[string]any {
	t, _, err := parser.ParseUnverified(token, jwt.MapClaims{})
	if err != nil {
		return nil
	}
	return t.Header
}

// goJose is go-jose with its jwt package, as strict as it can be made, and what a careful user adds.
func goJose() verifier {
	var algs []gojose.SignatureAlgorithm
	for _, a := range algorithms {
		algs = append(algs, gojose.SignatureAlgorithm(a))
	}
	return func(token string) error {
		parsed, err := gojosejwt.ParseSigned(token, algs)
		if err != nil {
			return err
		}
		var unverified gojosejwt.Claims
		if err := parsed.UnsafeClaimsWithoutVerification(&unverified); err != nil {
			return err
		}
		header := parsed.Headers[0]
		key, err := publicKey(unverified.Issuer, header.KeyID, header.Algorithm)
		if err != nil {
			return err
		}
		var registered gojosejwt.Claims
		claims := map[string]any{}
		if err := parsed.Claims(key, &registered, &claims); err != nil {
			return err
		}
		if registered.Expiry == nil {
			return errors.New("no exp")
		}
		if err := registered.ValidateWithLeeway(gojosejwt.Expected{Issuer: unverified.Issuer, Time: now}, leeway); err != nil {
			return err
		}
		typ, _ := header.ExtraHeaders[gojose.HeaderType].(string)
		return accessToken(typ, claims)
	}
}

func algorithmNames() []string {
	var names []string
	for _, a := range algorithms {
		names = append(names, string(a))
	}
	return names
}

// publicKey is the key of the issuer for kid and alg, all three bound together (RFC 8725, Sections 3.1 and 3.8).
func publicKey(issuer, kid, alg string) (crypto.PublicKey, error) {
	for _, k := range keysOf[issuer] {
		if k.kid == kid && string(k.alg) == alg {
			return k.key.Public(), nil
		}
	}
	return nil, errors.New("no such key")
}

// accessToken is what a careful user of either library checks besides: that it is an access token, for whom it is, and the scope.
func accessToken(typ string, claims map[string]any) error {
	aud, hasAudience := claims["aud"]
	required := []string{"sub", "client_id"}
	want := "demo.read"
	switch claims["iss"] {
	case pool:
		if claims["token_use"] != "access" {
			return errors.New("no access token")
		}
		if hasAudience && !listed(aud, resource) && !listed(aud, claims["client_id"]) {
			return errors.New("meant for somebody else")
		}
		want = resource + "/" + want
	case tenant:
		// RFC 9068, Section 4
		if t := strings.ToLower(typ); t != "at+jwt" && t != "application/at+jwt" {
			return errors.New("no access token")
		}
		if !listed(aud, resource) {
			return errors.New("meant for somebody else")
		}
		required = append(required, "jti") // RFC 9068, Section 2.2
		if _, ok := claims["iat"].(float64); !ok {
			return errors.New("no iat")
		}
	}
	for _, name := range required {
		if text, _ := claims[name].(string); text == "" {
			return errors.New("a required claim is missing")
		}
	}
	scope, ok := claims["scope"]
	if !ok {
		scope = claims["scp"]
	}
	if text, ok := scope.(string); ok && slices.Contains(strings.Split(text, " "), want) || !ok && listed(scope, want) {
		return nil
	}
	return errors.New("the scope is missing")
}

// listed reports whether s is a string, and v is it or an array that has it.
func listed(v, s any) bool {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	_, isText := s.(string) // two objects cannot be compared
	return isText && slices.Contains(list, s)
}
