package clientcredentials

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// These tests are inside the package: parsers have no exported door of their own.

func TestBearerError(t *testing.T) {
	for _, c := range []struct{ name, header, want string }{
		{"rfc6750 s3: the example", `Bearer realm="example", error="invalid_token", error_description="The access token expired"`, "invalid_token"},
		{"rfc9110 s11.1: the scheme's case does not matter", `bEARER error="invalid_token"`, "invalid_token"},
		{"rfc9110 s11.2: the parameter's case does not matter", `Bearer ERROR="invalid_token"`, "invalid_token"},
		{"rfc9110 s11.2: a token instead of a quoted-string", `Bearer error=invalid_token`, "invalid_token"},
		{"rfc9110 s11.2: space around the equals sign", `Bearer error = "invalid_token"`, "invalid_token"},
		{"rfc9110 s5.6.4: a quoted pair", `Bearer error="invalid\_token"`, "invalid_token"},
		{"rfc9110 s5.6.1: empty list elements", `, ,Bearer realm="x",, error="invalid_token"`, "invalid_token"},
		{"rfc9110 s11.6.1: after another challenge", `Newauth realm="apps", type=1, title="Login to \"apps\"", Bearer error="invalid_token"`, "invalid_token"},
		{"rfc9110 s11.6.1: before another challenge", `Bearer error="invalid_token", Basic realm="simple"`, "invalid_token"},
		{"rfc9110 s11.2: after a token68", `Negotiate YWJj/+==, Bearer error="invalid_token"`, "invalid_token"},
		{"the error of another scheme", `DPoP error="invalid_token", algs="ES256"`, ""},
		{"the error of another scheme after Bearer", `Bearer, DPoP error="invalid_token"`, ""},
		{"words in a realm", `Bearer realm="Bearer error=\"invalid_token\""`, ""},
		{"a quoted-string without end", `Bearer error="invalid_token`, ""},
		{"another parameter", `Bearer x_error="invalid_token"`, ""},
		{"a bare challenge", `Bearer`, ""},
		{"nothing", ``, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := bearerError(c.header); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	long := `Bearer realm="` + strings.Repeat("x", maxChallenge) + `", error="invalid_token"`
	if refusesToken(&http.Response{StatusCode: 401, Header: http.Header{"Www-Authenticate": {long}}}) {
		t.Error("a header without bound is read")
	}
}

// FuzzBearerError: whatever stands in another parameter neither makes nor hides an error.
func FuzzBearerError(f *testing.F) {
	f.Add(`Bearer error="invalid_token"`)
	f.Add(`", error="invalid_token`)
	f.Add(`\`)
	f.Fuzz(func(t *testing.T, s string) {
		bearerError(s)
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
		if got := bearerError("Bearer realm=" + quoted); got != "" {
			t.Errorf("a realm gives the error %q", got)
		}
		if got := bearerError("Bearer realm=" + quoted + `, error="invalid_token"`); got != oauth.InvalidToken {
			t.Errorf("a realm hides the error: %q", got)
		}
		if got := bearerError("Bearer error=" + quoted); got != s {
			t.Errorf("got %q, want %q", got, s)
		}
	})
}

// FuzzTokenAnswer: what is accepted can be sent in a header, has a bounded life, is read by encoding/json in
// the same way, and is accepted again when it is written by us.
func FuzzTokenAnswer(f *testing.F) {
	f.Add([]byte(`{"access_token":"eyJ.e30.c2ln","expires_in":3600,"token_type":"Bearer"}`))
	f.Add([]byte(`{"access_token":"a==","expires_in":"1e9","token_type":"bearer","scope":"a/b c","x":{"y":[1]}}`))
	f.Add([]byte(`{"access_token":"a","access_token":"b","token_type":"Bearer"}`))
	f.Add([]byte(`{"access_token":"a","token_type":"Bearer","x":1e400}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		g, err := parseGrant(body)
		if err != nil {
			if len(body) > 8 && strings.Contains(err.Error(), string(body)) {
				t.Errorf("the error repeats the answer: %v", err)
			}
			return
		}
		if !bearerToken(g.accessToken) || strings.ContainsAny(g.accessToken, " \r\n\x00") {
			t.Errorf("no header takes %q", g.accessToken)
		}
		if g.life < 0 || g.life > maxLife {
			t.Errorf("the life is %v", g.life)
		}
		if other, err := secondReading(body, "access_token"); err != nil || other != g.accessToken {
			t.Errorf("encoding/json reads %v, %v", other, err)
		}
		written := map[string]any{"access_token": g.accessToken, "token_type": "Bearer"}
		if g.life != 0 {
			written["expires_in"] = g.life.Seconds()
		}
		if g.scopes != nil {
			written["scope"] = strings.Join(g.scopes, " ")
		}
		ours, _ := json.Marshal(written)
		again, err := parseGrant(ours)
		if err != nil && g.life >= time.Microsecond {
			t.Fatalf("%s is refused: %v", ours, err)
		}
		if err == nil && (again.accessToken != g.accessToken || !slices.Equal(again.scopes, g.scopes)) {
			t.Errorf("%s was %s", ours, body)
		}
	})
}

// FuzzLifetime: no claim makes a token live longer than its answer says.
func FuzzLifetime(f *testing.F) {
	f.Add([]byte(`{"exp":1700003600,"iat":1700000000,"scope":"a"}`), int64(3600))
	f.Add([]byte(`{"exp":1e300,"iat":-1e300}`), int64(1))
	f.Fuzz(func(t *testing.T, payload []byte, seconds int64) {
		g := grant{life: min(max(time.Duration(seconds%(1<<24))*time.Second, 0), maxLife)}
		now := instant{wall: 1_700_000_000 * int64(time.Second), mono: time.Hour}
		c := claimsOf("e30." + base64URL(payload) + ".c2ln")
		life := lifetime(g, c, now)
		if life > maxLife || g.life > 0 && life > g.life || g.life == 0 && !c.timed && life != defaultLife {
			t.Errorf("%v for %v and %s", life, g.life, payload)
		}
		if e := newEntry(&Token{}, now, life); e != nil && (e.renew.mono > e.end.mono || e.end.mono > now.mono+life || !now.before(e.renew)) {
			t.Errorf("renewal at %v and end at %v of %v", e.renew.mono-now.mono, e.end.mono-now.mono, life)
		}
	})
}

// FuzzCredentialFile: what is accepted is what encoding/json reads, and an error never repeats the file.
func FuzzCredentialFile(f *testing.F) {
	f.Add([]byte(`{"client_id":"a","client_secret":"b","client_secret_2":"c"}`))
	f.Add([]byte(`{"client_id":"a","client_secret":42}`))
	f.Add([]byte(`{"client_id":"a","client_secret":"b","x":1e400}`))
	f.Add([]byte(`{"client_id":null,"client_secret":"b"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := parseCredentials("name", data)
		if err != nil {
			if trimmed := bytes.TrimSpace(data); len(trimmed) > 60 && strings.Contains(err.Error(), string(trimmed)) {
				t.Errorf("the error repeats the file: %v", err)
			}
			return
		}
		if other, err := secondReading(data, "client_id"); err != nil || other != list[0].ClientID {
			t.Errorf("encoding/json reads %v, %v", other, err)
		}
	})
}

// secondReading is what encoding/json reads for the member. It is asked for no value of another one: a number there may be one that
// JSON has and a float64 does not.
func secondReading(object []byte, member string) (any, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		return nil, err
	}
	var value any
	err := json.Unmarshal(members[member], &value)
	return value, err
}

func base64URL(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func (i instant) before(deadline instant) bool { return !deadline.reached(i) }
