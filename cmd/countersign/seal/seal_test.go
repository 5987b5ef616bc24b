package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
)

func newSealer(t testing.TB, fill byte) *seal.Sealer {
	t.Helper()
	s, err := seal.New(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealOpen(t *testing.T) {
	s := newSealer(t, 1)
	context := seal.Context("client", "pool", "id")
	for _, size := range []int{0, 1, 31, 32, 4096, 1 << 20} {
		plain := bytes.Repeat([]byte{'x'}, size)
		got, err := s.Open(s.Seal(plain, context), context)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: got %d bytes, %v", size, len(got), err)
		}
		got, err = s.OpenInPlace(s.Seal(plain, context), context)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes in place: got %d bytes, %v", size, len(got), err)
		}
	}
}

func TestSealIsNotDeterministic(t *testing.T) {
	s := newSealer(t, 1)
	if bytes.Equal(s.Seal([]byte("same"), nil), s.Seal([]byte("same"), nil)) {
		t.Error("two seals of one plaintext are equal: the nonce repeats")
	}
}

func TestOpenRefuses(t *testing.T) {
	s := newSealer(t, 1)
	context := seal.Context("client", "pool", "id")
	sealed := s.Seal([]byte("a client secret"), context)
	flip := func(i int) []byte {
		b := bytes.Clone(sealed)
		b[i] ^= 1
		return b
	}
	tests := []struct {
		name    string
		sealer  *seal.Sealer
		sealed  []byte
		context []byte
		want    error
	}{
		{"another key", newSealer(t, 2), sealed, context, seal.ErrOtherKey},
		{"another row", s, sealed, seal.Context("client", "pool", "other"), seal.ErrDamaged},
		{"another kind", s, sealed, seal.Context("key", "pool", "id"), seal.ErrDamaged},
		{"no context", s, sealed, nil, seal.ErrDamaged},
		{"a newer version", s, flip(0), context, seal.ErrVersion},
		{"key id changed", s, flip(1), context, seal.ErrOtherKey},
		{"nonce changed", s, flip(5), context, seal.ErrDamaged},
		{"ciphertext changed", s, flip(17), context, seal.ErrDamaged},
		{"tag changed", s, flip(len(sealed) - 1), context, seal.ErrDamaged},
		{"cut short", s, sealed[:len(sealed)-1], context, seal.ErrDamaged},
		{"only a head", s, sealed[:5], context, seal.ErrDamaged},
		{"empty", s, nil, context, seal.ErrDamaged},
		{"longer", s, append(bytes.Clone(sealed), 0), context, seal.ErrDamaged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plain, err := tt.sealer.Open(tt.sealed, tt.context)
			if !errors.Is(err, tt.want) || plain != nil {
				t.Fatalf("got %q, %v; want %v", plain, err, tt.want)
			}
			if plain, err := tt.sealer.OpenInPlace(bytes.Clone(tt.sealed), tt.context); !errors.Is(err, tt.want) || plain != nil {
				t.Errorf("in place: got %q, %v; want %v", plain, err, tt.want)
			}
			if name := fmt.Sprintf("%q", tt.context); !strings.Contains(err.Error(), name) {
				t.Errorf("%q does not name the record %s", err, name)
			}
		})
	}
}

func TestContextIsUnambiguous(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{
		{}, {"a"}, {"a", ""}, {"", "a"}, {"a", "b"}, {"a/b"}, {"a%2Fb"}, {"a", "b", ""}, {"https://api.example.com"},
	} {
		context := string(seal.Context(parts...))
		if other, ok := seen[context]; ok && len(parts)+len(other) > 0 {
			t.Errorf("%q and %q give the same context %q", parts, other, context)
		}
		seen[context] = parts
	}
}

func TestNewRefusesKeysOfAnotherSize(t *testing.T) {
	for _, size := range []int{0, 16, 31, 33} {
		if _, err := seal.New(make([]byte, size)); err == nil || err.Error() != fmt.Sprintf("seal: a key has 32 bytes, not %d", size) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestSealerPrintsNoKey(t *testing.T) {
	s := newSealer(t, 'K')
	for _, form := range []string{"%v", "%s", "%+v"} {
		if got := fmt.Sprintf(form, s); got != "seal.Sealer("+s.KeyID()+")" {
			t.Errorf("%s prints %q", form, got)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s := newSealer(f, 1)
	context := seal.Context("client", "pool", "id")
	f.Add(s.Seal([]byte("a client secret"), context))
	f.Add([]byte{})
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		// Nothing but what this test sealed itself opens, and the one seed that does is known.
		if plain, err := s.Open(sealed, context); err == nil && string(plain) != "a client secret" {
			t.Fatalf("a forged record opens as %q", plain)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	s := newSealer(b, 1)
	context := seal.Context("client", "ap-southeast-1_AbCdEf123", "4kqabcdefghijklmnopqrstuvw")
	sealed := s.Seal(make([]byte, 1024), context)
	b.SetBytes(1024)
	for b.Loop() {
		if _, err := s.Open(sealed, context); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleSealer() {
	s, err := seal.New(bytes.Repeat([]byte{7}, 32)) // a program uses OpenKeyFile
	if err != nil {
		fmt.Println(err)
		return
	}
	sealed := s.Seal([]byte("the client's secret"), seal.Context("client", "pool", "reader"))
	_, err = s.Open(sealed, seal.Context("client", "pool", "writer"))
	fmt.Println(err)
	// Output: seal: record "client/pool/writer": damaged, or moved here from another record; restore it from a backup
}
