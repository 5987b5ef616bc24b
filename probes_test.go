package countersign_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/jose"
)

// probe is one token and the right answer.
type probe struct {
	name  string
	token string
	want  countersign.Reason // empty: accepted
}

// demo.read, demo.list and nothing else is what every accepted probe grants.
const granted = "demo.read demo.list"

func run(t *testing.T, guard *countersign.Guard, probes []probe) {
	t.Helper()
	for _, p := range probes {
		t.Run(p.name, func(t *testing.T) {
			if form := countersign.Explain(p.token).Refused(); form != "" && form != p.want {
				t.Errorf("Explain without a guard says %s, want %s or nothing", form, p.want)
			}
			if got := guard.Explain(t.Context(), p.token, countersign.Authenticated()).Refused(); got != p.want {
				t.Errorf("explained as %q, want %q", got, p.want)
			}
			for _, sight := range []string{"first", "second"} {
				caller, err := guard.Authorize(t.Context(), p.token, countersign.Authenticated())
				if p.want == "" {
					if err != nil {
						t.Fatalf("%s sight: %v", sight, err)
					}
					if got := strings.Join(caller.Scopes, " "); got != granted {
						t.Errorf("%s sight: scopes %q", sight, got)
					}
					continue
				}
				if !errors.Is(err, p.want) {
					t.Fatalf("%s sight: got %v, want %s", sight, err, p.want)
				}
				if !caller.IsZero() {
					t.Error("a refused token has a caller")
				}
			}
		})
	}
}

// The tokens of the usual probes, in the order in which other verifiers were measured by them.
func TestTokens(t *testing.T) {
	issuer := newIssuer(pool)
	claims, header := cognitoClaims, cognitoHeader
	good := sign(header, claims)
	withExp := func(value string) string { return sign(header, claims.with("exp", value)) }
	run(t, issuer.guard(t, nil), []probe{
		{"valid", good, ""},
		{"rfc9068 s2.1: typ at+jwt", sign(header.with("typ", `"at+jwt"`), claims), ""},
		{"rfc7515 s4.1.9: typ JWT", sign(header.with("typ", `"JWT"`), claims), ""},
		{"rfc8725 s3.11: typ of another kind", sign(header.with("typ", `"logout+jwt"`), claims), countersign.BadHeader},
		{"rfc8725 s3.11: typ nonsense", sign(header.with("typ", `"JOSE-nonsense"`), claims), countersign.BadHeader},
		{"rfc7515 s4.1.9: typ no string", sign(header.with("typ", `7`), claims), countersign.BadHeader},

		{"rfc8725 s3.2: alg none, no signature", unsigned(header.with("alg", `"none"`), claims, ""), countersign.MalformedToken},
		{"rfc8725 s3.2: alg none, some signature", unsigned(header.with("alg", `"none"`), claims, "AA"), countersign.BadAlgorithm},
		{"cve-2015-2951: alg None", unsigned(header.with("alg", `"None"`), claims, "AA"), countersign.BadAlgorithm},
		{"cve-2015-2951: alg NONE", unsigned(header.with("alg", `"NONE"`), claims, "AA"), countersign.BadAlgorithm},
		{"cve-2015-2951: alg nOnE", unsigned(header.with("alg", `"nOnE"`), claims, "AA"), countersign.BadAlgorithm},
		{"cve-2020-28042: signature empty", unsigned(header, claims, ""), countersign.MalformedToken},
		{"cve-2016-10555: HS256 keyed with the public PEM", hmacToken(publicPEM(), claims), countersign.BadAlgorithm},
		{"cve-2016-10555: HS256 keyed with the modulus", hmacToken(testKeys.first.N.Bytes(), claims), countersign.BadAlgorithm},
		{"cve-2019-20933: HS256 keyed with nothing", hmacToken(nil, claims), countersign.BadAlgorithm},
		{"rfc7518 s3.1: alg RS512", sign(header.with("alg", `"RS512"`), claims), countersign.BadAlgorithm},
		{"rfc7518 s3.1: alg rs256", sign(header.with("alg", `"rs256"`), claims), countersign.BadAlgorithm},
		{"rfc7515 s4.1.1: alg missing", sign(header.without("alg"), claims), countersign.BadHeader},
		{"rfc7515 s4.1.1: alg null", sign(header.with("alg", `null`), claims), countersign.BadHeader},

		{"cve-2018-0114: embedded jwk of the sender", attacker(header.also("jwk", jwkOf(attackerKey)), claims), countersign.BadSignature},
		{"cve-2018-0114: embedded jwk with a kid of its own", attacker(header.with("kid", `"mine"`).also("jwk", jwkOf(attackerKey)), claims), countersign.UnknownKey},
		{"rfc8725 s3.10: jku of the sender", attacker(header.also("jku", `"https://evil.example/keys"`), claims), countersign.BadSignature},
		{"rfc8725 s3.10: x5u of the sender", attacker(header.also("x5u", `"https://evil.example/chain"`), claims), countersign.BadSignature},
		{"rfc8725 s3.10: x5c of the sender", attacker(header.also("x5c", `["AAAA"]`), claims), countersign.BadSignature},
		{"rfc7515 s4: x5t beside a good signature", sign(header.also("x5t", `"AAAA"`), claims), ""},

		{"rfc7515 s4.1.4: kid missing, two keys", sign(header.without("kid"), claims), countersign.UnknownKey},
		{"rfc7515 s4.1.4: kid empty", sign(header.with("kid", `""`), claims), countersign.BadHeader},
		{"rfc7515 s4.1.4: kid no string", sign(header.with("kid", `["first"]`), claims), countersign.BadHeader},
		{"rfc7515 s4.1.4: kid of the other key", sign(header.with("kid", `"second"`), claims), countersign.BadSignature},
		{"rfc7515 s4.1.4: kid in capitals", sign(header.with("kid", `"FIRST"`), claims), countersign.UnknownKey},
		{"rfc7515 s4.1.4: kid with a line of its own", sign(header.with("kid", `"first\r\nforged: yes"`), claims), countersign.UnknownKey},
		{"rfc7515 s4.1.4: kid with a NUL", sign(header.with("kid", `"first\u0000"`), claims), countersign.UnknownKey},
		{"rfc7515 s10.13: kid with escapes is the same text", sign(header.with("kid", `"\u0066irst"`), claims), ""},
		{"rfc7515 s4.1.4: kid is a path", sign(header.with("kid", `"../../dev/null"`), claims), countersign.UnknownKey},
		{"rfc7515 s4.1.4: kid is SQL", sign(header.with("kid", `"' UNION SELECT 'k"`), claims), countersign.UnknownKey},
		{"rfc7515 s4.1.4: kid of 10 kB", sign(header.with("kid", `"`+strings.Repeat("k", 10000)+`"`), claims), countersign.BadHeader},

		{"rfc8725 s3.8: iss wrong", sign(header, claims.with("iss", `"https://evil.example"`)), countersign.BadIssuer},
		{"rfc8725 s3.8: iss missing", sign(header, claims.without("iss")), countersign.BadIssuer},
		{"rfc8725 s3.8: iss with a slash more", sign(header, claims.with("iss", `"`+pool+`/"`)), countersign.BadIssuer},
		{"rfc8725 s3.8: iss in capitals", sign(header, claims.with("iss", `"`+strings.Replace(pool, "cognito", "COGNITO", 1)+`"`)), countersign.BadIssuer},
		{"rfc8725 s3.8: iss with a space", sign(header, claims.with("iss", `"`+pool+` "`)), countersign.BadIssuer},
		{"rfc8725 s3.8: iss with escapes is the same text", sign(header, claims.with("iss", `"`+strings.ReplaceAll(pool, "/", `\/`)+`"`)), ""},
		{"rfc8725 s3.8: iss an array", sign(header, claims.with("iss", `["`+pool+`"]`)), countersign.BadClaims},
		{"cognito: iss of the updated form", sign(header, claims.with("iss", `"`+strings.Replace(pool, "https://", "https://issuer-", 1)+`"`)), ""},

		{"rfc9068 s4: missing exp", sign(header, claims.without("exp")), countersign.BadClaims},
		{"rfc7519 s4.1.4: exp 20 s ago, within leeway", withExp(seconds(-20 * time.Second)), ""},
		{"rfc7519 s4.1.4: exp 59 s ago", withExp(seconds(-59 * time.Second)), ""},
		{"rfc7519 s4.1.4: exp 60 s ago", withExp(seconds(-60 * time.Second)), countersign.Expired},
		{"rfc7519 s4.1.4: exp 2 min ago", withExp(seconds(-2 * time.Minute)), countersign.Expired},
		{"rfc7519 s2: exp with a fraction", withExp(seconds(time.Hour) + ".25"), ""},
		{"rfc7519 s2: exp with an exponent", withExp("2.0e9"), ""},
		{"rfc7519 s2: exp a numeric string", withExp(`"` + seconds(time.Hour) + `"`), countersign.BadClaims},
		{"rfc7519 s2: exp 1e30", withExp("1e30"), countersign.BadClaims},
		{"rfc7519 s2: exp -1e30", withExp("-1e30"), countersign.BadClaims},
		{"rfc7519 s2: exp 1e400", withExp("1e400"), countersign.BadClaims},
		{"rfc7519 s2: exp beyond 64 bits", withExp("18446744073709551616"), countersign.BadClaims},
		{"rfc7519 s2: exp null", withExp("null"), countersign.BadClaims},
		{"rfc7519 s2: exp negative", withExp("-1"), countersign.BadClaims},
		{"rfc7519 s4.1.5: nbf in 10 min", sign(header, claims.with("nbf", seconds(10*time.Minute))), countersign.NotYetValid},
		{"rfc7519 s4.1.5: nbf in 61 s", sign(header, claims.with("nbf", seconds(61*time.Second))), countersign.NotYetValid},
		{"rfc7519 s4.1.5: nbf in 60 s, within leeway", sign(header, claims.with("nbf", seconds(time.Minute))), ""},
		{"rfc7519 s4.1.5: nbf a string", sign(header, claims.with("nbf", `"soon"`)), countersign.BadClaims},
		{"rfc7519 s4.1.6: iat in 1 h", sign(header, claims.with("iat", seconds(time.Hour))), ""},

		{"cognito: ID token", sign(header, claims.with("token_use", `"id"`)), countersign.BadTokenUse},
		{"cognito: token_use missing", sign(header, claims.without("token_use")), countersign.BadTokenUse},
		{"cognito: client_id missing", sign(header, claims.without("client_id")), countersign.BadClaims},
		{"cognito: aud of another resource", sign(header, claims.with("aud", `"https://other.example"`)), countersign.BadAudience},
		{"cognito: aud of this resource", sign(header, claims.with("aud", `["https://other.example","`+resource+`"]`)), ""},
		{"cognito: aud is the client, from a trigger", sign(header, claims.with("aud", `"`+client+`"`)), ""},
		{"cve-2020-26160: aud of another type", sign(header, claims.with("aud", `[1]`)), countersign.BadClaims},

		{"rfc7515 s4.1.11: crit of an unknown member", sign(header.also("crit", `["exp"]`).also("exp", "1"), claims), countersign.BadHeader},
		{"rfc7515 s4.1.11: crit empty", sign(header.also("crit", `[]`), claims), countersign.BadHeader},
		{"rfc7797 s6: b64 false in crit", sign(header.also("crit", `["b64"]`).also("b64", "false"), claims), countersign.BadHeader},
		{"rfc7797 s3: b64 without crit", sign(header.also("b64", "true"), claims), countersign.BadHeader},
		{"rfc8725 s3.6: zip", sign(header.also("zip", `"DEF"`), claims), countersign.BadHeader},
		{"rfc7515 s4: duplicate header alg", sign(header.also("alg", `"RS256"`), claims), countersign.BadHeader},
		{"rfc7515 s4: duplicate header alg, escaped", sign(text(strings.TrimSuffix(header.String(), "}")+`,"\u0061lg":"RS256"}`), claims), countersign.BadHeader},
		{"rfc7515 s4.1.11: crit, escaped", sign(text(strings.TrimSuffix(header.String(), "}")+`,"\u0063rit":["x"]}`), claims), countersign.BadHeader},
		{"rfc7515 s10.13: ALG is not alg", sign(header.without("alg").also("ALG", `"RS256"`), claims), countersign.BadHeader},
		{"rfc7515 s5.2: bytes after the header", sign(text(header.String()+"{}"), claims), countersign.BadHeader},
		{"rfc7515 s5.2: header not UTF-8", sign(text(strings.Replace(header.String(), "{", "{\"\xff\":1,", 1)), claims), countersign.BadHeader},
		{"rfc7515 s5.2: header an array", sign(text("["+header.String()+"]"), claims), countersign.BadHeader},
		{"rfc7519 s4: duplicate claim scope", sign(header, claims.also("scope", `"https://api.example.com/admin"`)), countersign.BadClaims},
		{"rfc7519 s4: duplicate claim scope, escaped", sign(header, text(strings.TrimSuffix(claims.String(), "}")+`,"sc\u006fpe":"https://api.example.com/admin"}`)), countersign.BadClaims},
		{"rfc7519 s4: duplicate in a nested object", sign(header, claims.also("x", `{"a":1,"b":{"c":1,"c":2}}`)), countersign.BadClaims},
		{"cve-2026-19194: claim SCOPE", sign(header, claims.also("SCOPE", `"https://api.example.com/admin"`)), ""},
		{"cve-2026-19194: claim ſcope", sign(header, claims.also("ſcope", `"https://api.example.com/admin"`)), ""},
		{"cve-2026-19194: claim EXP only", sign(header, claims.without("exp").also("EXP", seconds(time.Hour))), countersign.BadClaims},
		{"cve-2026-27896: claim with a U+0000", sign(header, text(strings.TrimSuffix(claims.String(), "}")+`,"scope\u0000":"https://api.example.com/admin"}`)), ""},
		{"rfc8259 s2: trailing bytes after claims", sign(header, text(claims.String()+"{}")), countersign.BadClaims},
		{"rfc8259 s2: trailing NUL after claims", sign(header, text(claims.String()+"\x00")), countersign.BadClaims},
		{"rfc8259 s8.1: byte order mark", sign(header, text("\ufeff"+claims.String())), countersign.BadClaims},
		{"rfc8725 s3.7: claims not UTF-8", sign(header, text(strings.Replace(claims.String(), "version", "ver\xffion", 1))), countersign.BadClaims},
		{"rfc7493 s2.1: lone surrogate", sign(header, text(strings.Replace(claims.String(), "version", `\ud800`, 1))), countersign.BadClaims},
		{"rfc7519 s7.2: claims an array", sign(header, text("[]")), countersign.BadClaims},
		{"rfc7519 s7.2: claims empty", sign(header, text("{}")), countersign.BadIssuer},

		{"rfc4648 s3.5: signature with spare bits", flipSpare(good), countersign.MalformedToken},
		{"rfc7515 s2: newline inside the signature", good[:len(good)-9] + "\n" + good[len(good)-9:], countersign.MalformedToken},
		{"rfc7515 s2: carriage return at the end", good + "\r", countersign.MalformedToken},
		{"rfc7515 s2: padding", good + "==", countersign.MalformedToken},
		{"rfc7515 s2: standard alphabet", strings.NewReplacer("-", "+", "_", "/").Replace(longSignature(good)), countersign.MalformedToken},
		{"rfc7515 s7.1: four segments", good + ".AAAA", countersign.MalformedToken},
		{"rfc7515 s7.1: two segments", good[:strings.LastIndexByte(good, '.')], countersign.MalformedToken},
		{"rfc7516 s7.1: five segments", "e30.AA.AA.AA.AA", countersign.MalformedToken},
		{"rfc7515 s7.2: flattened JSON serialization", flattened(good), countersign.MalformedToken},
		{"limits: claims nested 20000 deep", sign(header, claims.also("x", strings.Repeat("[", 20000)+strings.Repeat("]", 20000))), countersign.MalformedToken},
		{"limits: claims nested 17 deep", sign(header, claims.also("x", strings.Repeat("[", 16)+strings.Repeat("]", 16))), countersign.BadClaims},
		{"limits: claims nested 16 deep", sign(header, claims.also("x", strings.Repeat("[", 15)+strings.Repeat("]", 15))), ""},
		{"limits: 300 claims", sign(header, manyClaims(300)), countersign.BadClaims},
		{"limits: token of 16 KiB and a byte", good + strings.Repeat("A", 16<<10+1-len(good)), countersign.MalformedToken},
		{"empty", ".", countersign.MalformedToken},
		{"dots", "..", countersign.MalformedToken},

		{"rfc6749 s3.3: scope with two spaces", sign(header, claims.with("scope", `"https://api.example.com/demo.read  https://api.example.com/demo.list"`)), countersign.BadClaims},
		{"rfc6749 s3.3: scope with a quote", sign(header, claims.with("scope", `"https://api.example.com/demo.read\""`)), countersign.BadClaims},
		{"rfc8693 s4.2: scope an object", sign(header, claims.with("scope", `{}`)), countersign.BadClaims},
		{"scope an array", sign(header, claims.with("scope", `["https://api.example.com/demo.read","https://api.example.com/demo.list"]`)), ""},
		{"scp an array", sign(header, claims.without("scope").also("scp", `[ "https://api.example.com/demo.read" , "https://api.example.com/demo.list" ]`)), ""},
		{"scope before scp", sign(header, text(strings.Replace(claims.String(), "{", `{"scp":["https://api.example.com/admin"],`, 1))), ""},
		{"scopes of other resources are not ours", sign(header, claims.with("scope", `"https://api.example.com/demo.read https://api.example.com/v2/admin admin https://api.example.community/admin https://api.example.com/ https://api.example.com/demo.list"`)), ""},
	})
	if n := issuer.foreign.Load(); n > 0 {
		t.Errorf("tokens caused %d requests to addresses of their own", n)
	}
}

func TestTokensOfRFC9068(t *testing.T) {
	claims, header := rfc9068Claims, rfc9068Header
	run(t, newIssuer(tenant).guard(t, nil), []probe{
		{"valid", sign(header, claims), ""},
		{"rfc9068 s4: typ application/at+jwt", sign(header.with("typ", `"application/at+jwt"`), claims), ""},
		{"rfc7515 s4.1.9: typ AT+JWT", sign(header.with("typ", `"AT+JWT"`), claims), ""},
		{"rfc9068 s4: typ missing", sign(header.without("typ"), claims), countersign.BadHeader},
		{"rfc9068 s4: typ JWT", sign(header.with("typ", `"JWT"`), claims), countersign.BadHeader},
		{"rfc9068 s4: aud missing", sign(header, claims.without("aud")), countersign.BadAudience},
		{"rfc9068 s4: aud of another resource", sign(header, claims.with("aud", `"https://other.example"`)), countersign.BadAudience},
		{"rfc9068 s4: aud an array", sign(header, claims.with("aud", `["https://other.example","`+resource+`"]`)), ""},
		{"rfc9068 s4: aud only the client", sign(header, claims.with("aud", `"`+client+`"`)), countersign.BadAudience},
		{"rfc9068 s2.2: exp missing", sign(header, claims.without("exp")), countersign.BadClaims},
		{"rfc9068 s2.2: sub missing", sign(header, claims.without("sub")), countersign.BadClaims},
		{"rfc9068 s2.2: client_id missing", sign(header, claims.without("client_id")), countersign.BadClaims},
		{"rfc9068 s2.2: jti missing", sign(header, claims.without("jti")), countersign.BadClaims},
		{"rfc9068 s2.2: iat missing", sign(header, claims.without("iat")), countersign.BadClaims},
		{"rfc8725 s3.12: token_use id", sign(header, claims.with("token_use", `"id"`)), countersign.BadTokenUse},
		{"rfc8725 s3.12: a token of Cognito", sign(cognitoHeader, cognitoClaims.with("iss", `"`+tenant+`"`)), countersign.BadHeader},
	})
}

func TestAlgorithmIsBoundToTheKeyAndTheList(t *testing.T) {
	all := []published{{"rsa", jose.RS256, testKeys.first}, {"pss", jose.PS256, testKeys.second}, {"ec", jose.ES256, testKeys.ec}, {"ed", jose.EdDSA, testKeys.ed}}
	issuer := newIssuer(pool)
	issuer.keys = all
	everything := issuer.guard(t, func(c *countersign.Config) { c.Algorithms = []string{"RS256", "PS256", "ES256", "EdDSA"} })
	onlyRSA := issuer.guard(t, nil)
	for _, signed := range all {
		for _, named := range all {
			token := must(jose.Sign(signed.key, signed.alg, []byte(members{{"kid", `"` + named.kid + `"`}, {"alg", `"` + string(signed.alg) + `"`}}.String()), []byte(cognitoClaims.String())))
			want, wantRSA := countersign.UnknownKey, countersign.UnknownKey
			if signed.kid == named.kid {
				want = ""
			}
			if signed.alg != jose.RS256 {
				wantRSA = countersign.BadAlgorithm
			} else if named.alg == jose.RS256 {
				wantRSA = ""
			}
			name := fmt.Sprintf("rfc8725 s3.1: signed with %s, kid of %s", signed.alg, named.alg)
			run(t, everything, []probe{{name, token, want}})
			run(t, onlyRSA, []probe{{name + ", list of RS256", token, wantRSA}})
		}
	}
}

func TestSignatureEncodings(t *testing.T) {
	issuer := newIssuer(pool)
	issuer.keys = []published{{"pss", jose.PS256, testKeys.first}, {"ec", jose.ES256, testKeys.ec}}
	guard := issuer.guard(t, func(c *countersign.Config) { c.Algorithms = []string{"PS256", "ES256"} })
	pss, ec := members{{"kid", `"pss"`}, {"alg", `"PS256"`}}, members{{"kid", `"ec"`}, {"alg", `"ES256"`}}
	input := func(h members) string { s := unsigned(h, cognitoClaims, ""); return s[:len(s)-1] }
	digestPSS, digestEC := sha256.Sum256([]byte(input(pss))), sha256.Sum256([]byte(input(ec)))
	salted := func(n int) string {
		return unsigned(pss, cognitoClaims, encode(must(rsa.SignPSS(rand.Reader, testKeys.first, 5, digestPSS[:], &rsa.PSSOptions{SaltLength: n}))))
	}
	run(t, guard, []probe{
		{"rfc7518 s3.5: salt of 32 octets", salted(32), ""},
		{"rfc7518 s3.5: salt of 20 octets", salted(20), countersign.BadSignature},
		{"rfc7518 s3.5: no salt", salted(rsa.PSSSaltLengthAuto), countersign.BadSignature},
		{"rfc7518 s3.4: ASN.1 signature", unsigned(ec, cognitoClaims, encode(must(testKeys.ec.Sign(rand.Reader, digestEC[:], nil)))), countersign.BadSignature},
		{"cve-2022-21449: r and s of zero", unsigned(ec, cognitoClaims, encode(make([]byte, 64))), countersign.BadSignature},
		{"rfc7518 s3.4: 63 octets", unsigned(ec, cognitoClaims, encode(make([]byte, 63))), countersign.BadSignature},
	})
}

func TestOneKeyNeedsNoName(t *testing.T) {
	issuer := newIssuer(pool)
	issuer.keys = issuer.keys[:1]
	run(t, issuer.guard(t, nil), []probe{
		{"rfc7515 s4.1.4: kid missing, one key", sign(cognitoHeader.without("kid"), cognitoClaims), ""},
		{"rfc7515 s4.1.4: unknown kid, one key", sign(cognitoHeader.with("kid", `"other"`), cognitoClaims), countersign.UnknownKey},
	})
}

func TestLimitsOfTheConfiguration(t *testing.T) {
	issuer := newIssuer(pool)
	run(t, issuer.guard(t, func(c *countersign.Config) { c.ClientIDs = []string{"another", client} }), []probe{{"client on the list", sign(cognitoHeader, cognitoClaims), ""}})
	run(t, issuer.guard(t, func(c *countersign.Config) { c.ClientIDs = []string{"another"} }), []probe{{"client not on the list", sign(cognitoHeader, cognitoClaims), countersign.BadClient}})
	run(t, issuer.guard(t, func(c *countersign.Config) { c.Audience = "urn:orders" }), []probe{
		{"aud required", sign(cognitoHeader, cognitoClaims), countersign.BadAudience},
		{"aud is there", sign(cognitoHeader, cognitoClaims.with("aud", `"urn:orders"`)), ""},
	})
	run(t, issuer.guard(t, func(c *countersign.Config) { c.Leeway = -1 }), []probe{
		{"no leeway: exp 1 s ago", sign(cognitoHeader, cognitoClaims.with("exp", seconds(-time.Second))), countersign.Expired},
		{"no leeway: exp now", sign(cognitoHeader, cognitoClaims.with("exp", seconds(0))), countersign.Expired},
		{"no leeway: exp in 1 s", sign(cognitoHeader, cognitoClaims.with("exp", seconds(time.Second))), ""},
	})
}

func TestHostileSizes(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	part := strings.Repeat("W1tb", 1<<20)
	for name, token := range map[string]string{
		"1 MB of dots":                   strings.Repeat(".", 1<<20),
		"8 MB payload, bad signature":    "e30." + part + part + ".AAAA",
		"8 MB of bytes that are nothing": strings.Repeat("\x00", 8<<20),
	} {
		t.Run("cve-2025-30204: "+name, func(t *testing.T) {
			run(t, guard, []probe{{"refused", token, countersign.MalformedToken}})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			const runs = 100
			for range runs {
				guard.Authorize(t.Context(), token, countersign.Authenticated())
			}
			runtime.ReadMemStats(&after)
			if n := (after.TotalAlloc - before.TotalAlloc) / runs; n > 4096 {
				t.Errorf("%d bytes allocated for one token", n)
			}
		})
	}
}

// A token may be nothing but escapes, within the size of a token. Whoever sends it needs no key, and must not cost more than the signature that is
// then found to be none.
func TestATokenOfEscapesIsNoDearerThanItsSignature(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	const elements = 2000
	for name, claims := range map[string]members{
		"aud":   cognitoClaims.with("aud", `[`+strings.Repeat(`"\n",`, elements)+`"`+client+`"]`),
		"scp":   cognitoClaims.also("scp", `[`+strings.Repeat(`"\n",`, elements)+`""]`),
		"names": cognitoClaims.also("x", `[`+strings.Repeat(`{"\n":1},`, elements/2)+`0]`),
	} {
		t.Run(name, func(t *testing.T) {
			token := unsigned(cognitoHeader, claims, "AAAA")
			run(t, guard, []probe{{"refused", token, countersign.BadSignature}})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			const runs = 20
			for range runs {
				guard.Authorize(t.Context(), token, countersign.Authenticated())
			}
			runtime.ReadMemStats(&after)
			// With encoding/json for each of them it was a megabyte, and eighty times the time.
			if n := (after.TotalAlloc - before.TotalAlloc) / runs; n > 64<<10 {
				t.Errorf("%d bytes allocated for one token", n)
			}
		})
	}
}
