package signer_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/signer"
)

func accelerated(t testing.TB, bits int) (*rsa.PrivateKey, crypto.Signer) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	fast, err := signer.Accelerate(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, fast
}

// TestTheSignatureIsTheSame: rfc8017 s8.2: RSASSA-PKCS1-v1_5 is deterministic, so that whoever makes it makes the same octets.
func TestTheSignatureIsTheSame(t *testing.T) {
	for _, bits := range []int{2048, 3072} {
		key, fast := accelerated(t, bits)
		if !key.PublicKey.Equal(fast.Public()) {
			t.Error("another public key")
		}
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				hash := sha256.Sum256([]byte{byte(i)})
				got, err := fast.Sign(rand.Reader, hash[:], crypto.SHA256)
				want, _ := rsa.SignPKCS1v15(nil, key, crypto.SHA256, hash[:])
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bits: another signature, %v", bits, err)
				}
			})
		}
		all.Wait()
		runtime.GC() // frees what nobody holds, and not what is held
		hash := sha256.Sum256(nil)
		if _, err := fast.Sign(rand.Reader, hash[:], crypto.SHA256); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsNotRS256(t *testing.T) {
	if !strings.Contains(signer.Name(), "libcrypto") {
		return // Go's own key makes what it is asked for
	}
	_, fast := accelerated(t, 2048)
	hash := sha256.Sum256(nil)
	for name, o := range map[string]crypto.SignerOpts{"rfc7518 s3.5: PSS": &rsa.PSSOptions{Hash: crypto.SHA256}, "another hash": crypto.SHA512} {
		if _, err := fast.Sign(rand.Reader, hash[:], o); err == nil {
			t.Errorf("%s was signed", name)
		}
	}
	if _, err := fast.Sign(rand.Reader, hash[:31], crypto.SHA256); err == nil {
		t.Error("a hash that is too short was signed")
	}
}

func TestOtherKeysStayAsTheyAre(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := signer.Accelerate(key); err != nil || got != crypto.Signer(key) {
		t.Errorf("got %T, %v", got, err)
	}
}

func BenchmarkSign(b *testing.B) {
	_, fast := accelerated(b, 2048)
	hash := sha256.Sum256(nil)
	b.Log(signer.Name())
	for b.Loop() {
		if _, err := fast.Sign(rand.Reader, hash[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
	}
}
