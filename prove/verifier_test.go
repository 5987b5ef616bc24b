package prove_test

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/jose"
)

var (
	errNotB64Token = errors.New("not a b64token")
	errBadToken    = errors.New("bad token")
)

// verifier is one that people wrote by hand: correct, or with one fault.
type verifier struct{ fault string }

func (v verifier) has(fault string) bool { return v.fault == fault }

// verify returns the scope claim.
func (v verifier) verify(token string) (string, error) {
	if strings.ContainsAny(token, ` ,{}"`) || strings.Contains(strings.TrimRight(token, "="), "=") && !v.has("padding") {
		return "", errNotB64Token
	}
	parts := strings.Split(token, ".")
	if v.has("padding") {
		parts = strings.Split(strings.ReplaceAll(token, "=", ""), ".")
	}
	switch {
	case v.has("four segments") && len(parts) > 3:
		parts = parts[:3]
	case v.has("two segments") && len(parts) == 2:
		return v.claims(parts[1])
	case v.has("leading dot") && len(parts) == 4 && parts[0] == "":
		parts = parts[1:]
	}
	if len(parts) != 3 {
		return "", errBadToken
	}
	header, err := v.object(parts[0])
	if err != nil {
		return "", err
	}
	if _, critical := header["crit"]; critical && !v.has("crit ignored") {
		return "", errBadToken
	}
	if !v.signed(header, parts) {
		return "", errBadToken
	}
	return v.claims(parts[1])
}

func (v verifier) claims(part string) (string, error) {
	claims, err := v.object(part)
	if err != nil {
		return "", err
	}
	now := float64(time.Now().Unix())
	exp, ok := claims["exp"].(float64)
	if !ok && !(v.has("exp missing") && claims["exp"] == nil) && !(v.has("exp a string") && claims["exp"] != nil) {
		return "", errBadToken
	}
	if ok && exp <= now && !v.has("exp") && !(v.has("exp negative") && exp < 0) {
		return "", errBadToken
	}
	if nbf, ok := claims["nbf"].(float64); claims["nbf"] != nil && !v.has("nbf") && (!ok && !v.has("nbf a string") || nbf > now) {
		return "", errBadToken
	}
	iss, _ := claims["iss"].(string)
	if list, ok := claims["iss"].([]any); ok && v.has("iss in an array") {
		iss, _ = list[0].(string)
	}
	if iss != issuerURL && !v.has("iss") && !(v.has("iss missing") && iss == "") && !(v.has("iss as prefix") && strings.HasPrefix(iss, issuerURL)) {
		return "", errBadToken
	}
	if claims["token_use"] != "access" && !v.has("token_use") {
		return "", errBadToken
	}
	if claims["aud"] != nil && !v.has("aud") {
		return "", errBadToken
	}
	scope, ok := claims["scope"].(string)
	if !ok && claims["scope"] != nil {
		return "", errBadToken
	}
	if v.has("scope under another name") && scope == "" {
		scope, _ = claims["permissions"].(string)
	}
	return scope, nil
}

// object decodes a part strictly: one object, every name once and in its exact case.
func (v verifier) object(part string) (map[string]any, error) {
	encoding := base64.RawURLEncoding.Strict()
	text, err := encoding.DecodeString(part)
	if err != nil || !utf8.Valid(text) && !v.has("invalid UTF-8") {
		return nil, errBadToken
	}
	if v.has("names folded") || v.has("names folded by Unicode") {
		return v.folded(text)
	}
	if v.has("claims in an array") {
		text = bytes.TrimSuffix(bytes.TrimPrefix(text, []byte("[")), []byte("]"))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errBadToken
	}
	object := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errBadToken
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, errBadToken
		}
		text, ok := name.(string)
		if _, twice := object[text]; !ok || twice && !v.has("last of two members") {
			return nil, errBadToken
		}
		if strings.Count(string(mustJSON(value)), "[") > 100 && !v.has("deep claims") {
			return nil, errBadToken
		}
		object[text] = value
	}
	if _, err := d.Token(); err != nil && !v.has("claims cut off") {
		return nil, errBadToken
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) && !v.has("more after the claims") && !v.has("claims cut off") {
		return nil, errBadToken
	}
	return object, nil
}

// folded is what encoding/json does with struct fields.
func (v verifier) folded(text []byte) (map[string]any, error) {
	var loose map[string]any
	if json.Unmarshal(text, &loose) != nil {
		return nil, errBadToken
	}
	object := map[string]any{}
	for name, value := range loose {
		for _, known := range []string{"alg", "kid", "crit", "exp", "nbf", "iss", "scope", "token_use", "aud"} {
			if strings.EqualFold(name, known) {
				name = known
			}
		}
		object[name] = value
	}
	return object, nil
}

func (v verifier) signed(header map[string]any, parts []string) bool {
	alg, _ := header["alg"].(string)
	input := parts[0] + "." + parts[1]
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if v.has("spare bits") {
		signature, err = base64.RawURLEncoding.DecodeString(parts[2])
	}
	if v.has("characters after the signature") {
		signature, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[2], "~+/"))
	}
	if err != nil {
		return false
	}
	public := &issuerKey().PublicKey
	switch {
	case v.has("signature"), v.has("empty signature") && len(signature) == 0, v.has("alg none") && alg == "none" && len(signature) == 0,
		v.has("alg none with a signature") && alg == "none", v.has("alg None") && strings.EqualFold(alg, "none") && alg != "none",
		v.has("alg missing") && alg == "", v.has("zeros") && strings.Trim(string(signature), "\x00") == "" && len(signature) > 100,
		v.has("psychic") && alg == "ES256" && bytes.Equal(signature, make([]byte, 64)),
		v.has("unknown kid") && header["kid"] != "k":
		return true
	case alg == "HS256":
		for name, secret := range hmacSecrets() {
			mac := hmac.New(sha256.New, secret)
			io.WriteString(mac, input)
			if v.has("hmac "+name) && hmac.Equal(mac.Sum(nil), signature) {
				return true
			}
		}
		return false
	case v.has("embedded jwk") && header["jwk"] != nil:
		n, err := base64.RawURLEncoding.DecodeString(header["jwk"].(map[string]any)["n"].(string))
		if err != nil {
			return false
		}
		public = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
	case v.has("embedded x5c") && header["x5c"] != nil:
		der, err := base64.StdEncoding.DecodeString(header["x5c"].([]any)[0].(string))
		if err != nil {
			return false
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return false
		}
		public = certificate.PublicKey.(*rsa.PublicKey)
	case header["kid"] != "k":
		return false
	}
	if alg != "RS256" && !v.has("alg of the header ignored") {
		return false
	}
	digest := sha256.Sum256([]byte(input))
	return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
}

func hmacSecrets() map[string][]byte {
	public := &issuerKey().PublicKey
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err)
	}
	jwk, err := jose.AppendJWK(nil, public, "", jose.RS256)
	if err != nil {
		panic(err)
	}
	return map[string][]byte{
		"empty": {}, "key": []byte("key"), "DER": der, "modulus": public.N.Bytes(), "JWK": jwk,
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	}
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// Each verifier that believes one bad token too many is found by that token.
func TestVerifiersAreFound(t *testing.T) {
	const get = "GET /api/orders/{id} / "
	p := policyOf(countersign.Route{Pattern: "GET /api/orders/{id}", Rule: countersign.Scope("orders.read")})
	for fault, want := range map[string]string{
		"signature":                      "bad token foreign key",
		"empty signature":                "bad token signature empty",
		"alg none":                       "bad token alg none",
		"alg None":                       "bad token alg nOnE in mixed case",
		"alg none with a signature":      "bad token alg none with the signature kept",
		"alg missing":                    "bad token alg missing",
		"unknown kid":                    "bad token foreign key under an unknown kid",
		"zeros":                          "bad token signature of zeros",
		"psychic":                        "bad token psychic signature",
		"spare bits":                     "bad token signature with spare bits",
		"characters after the signature": "bad token characters after the signature",
		"padding":                        "bad token padded base64",
		"embedded jwk":                   "bad token embedded jwk",
		"embedded x5c":                   "bad token x5c of the attacker",
		"hmac empty":                     "bad token HS256 with an empty key",
		"hmac key":                       "bad token kid that is SQL",
		"hmac PEM":                       "bad token HS256 with the public PEM",
		"hmac DER":                       "bad token HS256 with the public DER",
		"hmac modulus":                   "bad token HS256 with the modulus",
		"hmac JWK":                       "bad token HS256 with the JWK",
		"two segments":                   "bad token two segments",
		"four segments":                  "bad token four segments",
		"leading dot":                    "bad token leading dot",
		"crit ignored":                   "bad token crit of an unknown member",
		"exp":                            "bad token expired",
		"exp missing":                    "bad token exp missing",
		"exp a string":                   "bad token exp a string",
		"exp negative":                   "bad token exp negative",
		"nbf":                            "bad token not yet valid",
		"nbf a string":                   "bad token nbf a string",
		"iss":                            "bad token iss of another issuer",
		"iss missing":                    "bad token iss missing",
		"iss as prefix":                  "bad token iss as the beginning of another",
		"iss in an array":                "bad token iss in an array",
		"token_use":                      "bad token ID token",
		"aud":                            "bad token aud of another service",
		"names folded":                   "bad token claim EXP in capitals",
		"names folded by Unicode":        "403 claim scope with a long s",
		"last of two members":            "bad token scope twice",
		"claims in an array":             "bad token claims in an array",
		"more after the claims":          "bad token claims and more",
		"invalid UTF-8":                  "bad token claims that are no UTF-8",
		"deep claims":                    "bad token claims nested 2000 deep",
		"scope under another name":       "403 scope under another name",
	} {
		t.Run(fault, func(t *testing.T) {
			if got := differences(run(t, config(p, twin{fault}))); !slices.Contains(got, get+want) {
				t.Errorf("want %s among %q", get+want, got)
			}
		})
	}
}
