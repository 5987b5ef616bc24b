package prove

import (
	"maps"
	"testing"
)

func TestBearerChallenge(t *testing.T) {
	for _, tt := range []struct {
		name    string
		fields  []string
		present bool
		params  map[string]string
	}{
		{"none", nil, false, nil},
		{"bare", []string{"Bearer"}, true, map[string]string{}},
		{"rfc9110 s11.1: scheme in any case", []string{"bEARER"}, true, map[string]string{}},
		{"rfc6750 s3: parameters", []string{`Bearer realm="example", error="invalid_token", error_description="The access token expired"`}, true,
			map[string]string{"realm": "example", "error": "invalid_token", "error_description": "The access token expired"}},
		{"rfc9110 s11.6.1: several in one field", []string{`Newauth realm="apps", type=1, title="Login to \"apps\"", Bearer error="a", Basic realm="simple"`}, true, map[string]string{"error": "a"}},
		{"several fields", []string{`Basic realm="x"`, `Bearer error=b`}, true, map[string]string{"error": "b"}},
		{"comma and equals in quotes", []string{`Bearer scope="a,b=c Basic", error="d"`}, true, map[string]string{"scope": "a,b=c Basic", "error": "d"}},
		{"token68 of another scheme", []string{`Negotiate YWJj==, Bearer error="e"`}, true, map[string]string{"error": "e"}},
		{"spaces around =", []string{`Bearer error = "f"`}, true, map[string]string{"error": "f"}},
		{"names in any case", []string{`Bearer ERROR="g"`}, true, map[string]string{"error": "g"}},
		{"quote never closed", []string{`Bearer error="h`}, true, map[string]string{"error": "h"}},
		{"another scheme's error", []string{`DPoP error="i"`}, false, nil},
		{"a scheme that begins alike", []string{`BearerX error="j"`}, false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := bearerChallenge(tt.fields)
			if got.present != tt.present || !maps.Equal(got.params, tt.params) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func FuzzParseChallenge(f *testing.F) {
	for _, seed := range []string{`Bearer`, `Bearer error="a\"b", scope=c`, `Negotiate YWJj==, Bearer x`, `,,= "`, "Bearer \x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		c := parseChallenge(field)
		if !c.present && len(c.params) > 0 {
			t.Errorf("parameters of no challenge: %v", c.params)
		}
	})
}
