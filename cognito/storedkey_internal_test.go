package cognito

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"testing"
)

func encoded(t *testing.T, key any) []byte {
	t.Helper()
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pkcs8
}

// TestStoredKeySigns: with the key that was stored, although only its public half was read.
func TestStoredKeySigns(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := readKey(encoded(t, key))
	if err != nil {
		t.Fatal(err)
	}
	if _, lazy := stored.(*storedKey); !lazy {
		t.Errorf("an RSA key is read as %T at once", stored)
	}
	if !key.PublicKey.Equal(stored.Public()) {
		t.Error("the public half is another")
	}
	digest := sha256.Sum256([]byte("x"))
	signature, err := stored.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
		t.Error(err)
	}
}

// TestStoredKeyDamaged: a private half that belongs to another public one signs nothing, and no error quotes it.
func TestStoredKeyDamaged(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := encoded(t, key)
	at := bytes.Index(pkcs8, key.D.Bytes())
	pkcs8[at+10] ^= 1
	stored, err := readKey(pkcs8)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("x"))
	for range 2 {
		if _, err := stored.Sign(rand.Reader, digest[:], crypto.SHA256); err == nil || err.Error() != "a stored key cannot be read" {
			t.Errorf("error %v", err)
		}
	}
}

func TestReadKeyOfAnotherKind(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if stored, err := readKey(encoded(t, key)); err != nil || !key.PublicKey.Equal(stored.Public()) {
		t.Errorf("a P-256 key: %v", err)
	}
	for name, pkcs8 := range map[string][]byte{"nothing": nil, "no DER": []byte("-----BEGIN"), "cut short": encoded(t, key)[:40]} {
		if _, err := readKey(pkcs8); err == nil || err.Error() != "a stored key cannot be read" {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// FuzzPublicRSA: where it reads a public half, crypto/x509 reads the same one or refuses the key.
func FuzzPublicRSA(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		f.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pkcs8)
	f.Fuzz(func(t *testing.T, pkcs8 []byte) {
		public := publicRSA(pkcs8)
		if public == nil {
			return
		}
		parsed, err := x509.ParsePKCS8PrivateKey(pkcs8)
		if err != nil {
			return
		}
		if full, ok := parsed.(*rsa.PrivateKey); !ok || !full.PublicKey.Equal(public) {
			t.Fatalf("%x: the public half is another", pkcs8)
		}
	})
}
