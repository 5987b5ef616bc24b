//go:build openssl && cgo

package signer

/*
#cgo LDFLAGS: -lcrypto
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static EVP_PKEY *load(const unsigned char *pkcs8, long length) {
	return d2i_AutoPrivateKey(NULL, &pkcs8, length);
}

// sign makes a signature of RSASSA-PKCS1-v1_5 with SHA-256 over a hash. It returns its length, or 0.
static size_t sign(EVP_PKEY *key, const unsigned char *hash, unsigned char *signature, size_t room) {
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	if (ctx == NULL)
		return 0;
	if (EVP_PKEY_sign_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) <= 0 ||
	    EVP_PKEY_sign(ctx, signature, &room, hash, 32) <= 0)
		room = 0;
	EVP_PKEY_CTX_free(ctx);
	return room;
}
*/
import "C"

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"runtime"
	"unsafe"
)

// Name is what signs.
func Name() string { return C.GoString(C.OpenSSL_version(C.OPENSSL_VERSION)) + " (libcrypto)" }

// Accelerate returns a signer that has libcrypto do what the RSA key would. Keys of other kinds are returned as they are: Go
// signs with those as fast.
func Accelerate(key crypto.Signer) (crypto.Signer, error) {
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return key, nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("signer: encode the key: %w", err)
	}
	defer clear(der)
	loaded := C.load((*C.uchar)(unsafe.Pointer(&der[0])), C.long(len(der)))
	if loaded == nil {
		return nil, errors.New("signer: libcrypto does not take the key")
	}
	s := &libcrypto{key: loaded, public: &private.PublicKey}
	runtime.AddCleanup(s, func(key *C.EVP_PKEY) { C.EVP_PKEY_free(key) }, loaded)
	return s, nil
}

// libcrypto is an RSA key in the memory of the library. Its methods may be called from several goroutines: each signature has a
// context of its own, and the key is only read.
type libcrypto struct {
	key    *C.EVP_PKEY
	public *rsa.PublicKey
}

// Public implements [crypto.Signer].
func (s *libcrypto) Public() crypto.PublicKey { return s.public }

// Sign implements [crypto.Signer], for RS256 and nothing else. The library has a random source of its own.
func (s *libcrypto) Sign(_ io.Reader, hash []byte, o crypto.SignerOpts) ([]byte, error) {
	if _, pss := o.(*rsa.PSSOptions); pss || o.HashFunc() != crypto.SHA256 || len(hash) != crypto.SHA256.Size() {
		return nil, errors.New("signer: libcrypto is asked for something else than RS256")
	}
	signature := make([]byte, s.public.Size())
	n := C.sign(s.key, (*C.uchar)(unsafe.Pointer(&hash[0])), (*C.uchar)(unsafe.Pointer(&signature[0])), C.size_t(len(signature)))
	runtime.KeepAlive(s)
	if int(n) != len(signature) {
		return nil, errors.New("signer: libcrypto made no signature")
	}
	return signature, nil
}
