package oauth_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/internal/oauth"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	const bytesOfIt = "hunter2-hunter2"
	s := oauth.Secret(bytesOfIt)
	var out bytes.Buffer
	for _, format := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%X", "%d", "%t", "%08.3f", "%U"} {
		fmt.Fprintf(&out, format+"\n", s)
		fmt.Fprintf(&out, format+"\n", struct{ S oauth.Secret }{s})
		fmt.Fprintf(&out, format+"\n", []oauth.Secret{s})
		fmt.Fprintf(&out, format+"\n", fmt.Errorf("wrapped: %v", s))
	}
	fmt.Fprintln(&out, s, s.String(), s.GoString())
	encoded, err := json.Marshal(map[string]any{"a": s, "b": []oauth.Secret{s}})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "secret", s, slog.Any("any", &s))
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "secret", s, slog.Group("g", "s", struct{ S oauth.Secret }{s}))
	for _, part := range []string{"hunter2", fmt.Sprintf("%x", bytesOfIt), fmt.Sprintf("%X", bytesOfIt)} {
		if strings.Contains(out.String(), part) {
			t.Errorf("printed:\n%s", out.String())
		}
	}
	if s.Reveal() != bytesOfIt {
		t.Error("Reveal does not")
	}
}

func TestBasicHeader(t *testing.T) {
	// RFC 6749, Section 2.3.1, has this example.
	if got, want := oauth.BasicHeader("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw"), "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"; got != want {
		t.Errorf("header %s, want %s", got, want)
	}
	plain := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tt := range []struct {
		name, header, id, secret string
		ok                       bool
	}{
		{"rfc6749 s2.3.1: colon in both halves", oauth.BasicHeader("a:b", "c:d"), "a:b", "c:d", true},
		{"rfc6749 s2.3.1: space and plus", plain("a+b:c%2Bd"), "a b", "c+d", true},
		{"rfc7235 s2.1: scheme in any case", "bAsIc  " + plain("a:b")[6:], "a", "b", true},
		{"rfc6749 s2.3.1: empty secret", plain("a:"), "a", "", true},
		{"empty id", plain(":b"), "", "", false},
		{"no colon", plain("ab"), "", "", false},
		{"bad escape", plain("a%zz:b"), "", "", false},
		{"another scheme", "Bearer " + plain("a:b")[6:], "", "", false},
		{"scheme only", "Basic", "", "", false},
		{"empty", "", "", "", false},
		{"rfc4648 s3.2: padding missing", "Basic YTpi" + "YQ", "", "", false},
		{"rfc4648 s3.5: spare bits", "Basic YTpiYR==", "", "", false},
		{"line break", "Basic YT\npi", "", "", false},
		{"too long", plain("a:" + strings.Repeat("b", 4096)), "", "", false},
	} {
		id, secret, ok := oauth.ParseBasic(tt.header)
		if id != tt.id || secret != tt.secret || ok != tt.ok {
			t.Errorf("%s: %q %q %v", tt.name, id, secret, ok)
		}
	}
}

func TestParseScope(t *testing.T) {
	for s, want := range map[string]string{
		"a": "a", "a b": "a|b", "https://api.example.com/demo.read !#[]~": "https://api.example.com/demo.read|!#[]~", "a a": "a|a",
		"": "error", " ": "error", " a": "error", "a ": "error", "a  b": "error", "a\tb": "error", `a"b`: "error", `a\b`: "error", "é": "error", "a\x7f": "error", "a\x00": "error",
		strings.TrimSpace(strings.Repeat("a ", 513)): "error",
	} {
		tokens, err := oauth.ParseScope(s)
		got := strings.Join(tokens, "|")
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%.40q: %s, want %s", s, got, want)
		}
	}
}

func FuzzScope(f *testing.F) {
	for _, s := range []string{"", "a", "a b", "a  b", " a", `a"b`, "https://api.example.com/demo.read x"} {
		f.Add(s)
	}
	// What is parsed joins to the same text, and no token of it could break out of a quoted string.
	f.Fuzz(func(t *testing.T, s string) {
		tokens, err := oauth.ParseScope(s)
		if err != nil {
			return
		}
		if oauth.JoinScope(tokens) != s || strings.ContainsAny(s, "\"\\\r\n\t") {
			t.Errorf("%q parsed as %q", s, tokens)
		}
	})
}

func FuzzBasic(f *testing.F) {
	for _, s := range []string{"Basic YTpi", "basic  YTpi", "Basic", "Basic OmI=", "Basic YSUzQTpi"} {
		f.Add(s)
	}
	// What is parsed is what its own header is parsed as.
	f.Fuzz(func(t *testing.T, header string) {
		id, secret, ok := oauth.ParseBasic(header)
		if !ok {
			return
		}
		id2, secret2, ok := oauth.ParseBasic(oauth.BasicHeader(id, secret))
		if ok && (id2 != id || secret2 != secret) {
			t.Errorf("%q %q became %q %q", id, secret, id2, secret2)
		}
		if !ok && len(oauth.BasicHeader(id, secret)) <= 4096 {
			t.Errorf("%q %q is not parsed again", id, secret)
		}
	})
}
