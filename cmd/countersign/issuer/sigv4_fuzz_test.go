package issuer_test

import (
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
)

// FuzzAuthorization: no header makes the verifier panic or accept, but the one that the client sent.
func FuzzAuthorization(f *testing.F) {
	r := signed(f, signing{})
	sent := r.Header.Get("Authorization")
	for _, seed := range []string{
		sent, strings.ReplaceAll(sent, ", ", ","), "", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential=////, SignedHeaders=;;, Signature=",
		"Bearer x", sent + ", Signature=00", strings.ToUpper(sent),
	} {
		f.Add(seed)
	}
	canonical, err := issuer.ParseAuthorization(sent)
	if err != nil || canonical != sent {
		f.Fatalf("%q, %v; want what was sent", canonical, err)
	}
	verifier := newSigV4(f, noon)
	f.Fuzz(func(t *testing.T, header string) {
		again, err := issuer.ParseAuthorization(header)
		if err == nil {
			if twice, err := issuer.ParseAuthorization(again); err != nil || twice != again {
				t.Errorf("%q reads as %q, which reads as %q, %v", header, again, twice, err)
			}
		}
		r.Header["Authorization"] = []string{header}
		if verifier.Authenticate(r, []byte(body)) == nil && again != sent {
			t.Errorf("accepted: %q", header)
		}
	})
}

func BenchmarkSigV4(b *testing.B) {
	r := signed(b, signing{})
	s := newSigV4(b, noon)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Authenticate(r, []byte(body)); err != nil {
			b.Fatal(err)
		}
	}
}
