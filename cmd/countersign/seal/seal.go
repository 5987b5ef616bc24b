// Package seal encrypts what must not lie on a disk in clear: client secrets, signing keys, credentials.
//
// It is AES-256-GCM under one key from one key file; it is not a key store, knows no users and rotates nothing: who has sealed
// something under one key and wants another opens it and seals it anew.
// What it protects against is a stolen copy of the database or of a backup without the key file. It does not protect against
// someone who can read both. Start at [OpenKeyFile].
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// A sealed record is
//
//	version (1 byte) | key id (4 bytes) | nonce (12 bytes) | ciphertext | tag (16 bytes)
//
// The version comes first so that another scheme (an envelope whose data key a KMS has wrapped) can follow in the same
// column, record by record. The key id tells "sealed with another key file" from "damaged", which need different help.
const (
	version1  = 1
	keyIDSize = 4
	headSize  = 1 + keyIDSize
	keySize   = 32
	gcmExtra  = 12 + 16
)

var (
	// ErrOtherKey says that a record was sealed with another key than the one of this [Sealer].
	ErrOtherKey = errors.New("sealed with another key: this key file and this data do not belong together; " +
		"put back the key file that was there when the data was written")
	// ErrDamaged says that a record is not what was sealed: bytes were changed, or it was moved from another place.
	ErrDamaged = errors.New("damaged, or moved here from another record; restore it from a backup")
	// ErrVersion says that a record was sealed by a newer program.
	ErrVersion = errors.New("sealed in a form that this program does not know; use the newer version that wrote it")
)

// A Sealer seals and opens records under one key. It is immutable and safe for concurrent use.
// [OpenKeyFile], [ReadKeyFile] and [New] make one; the zero value seals nothing and panics.
type Sealer struct {
	aead cipher.AEAD
	id   [keyIDSize]byte
}

// New returns the Sealer of a 256-bit key. It does not keep the slice.
func New(key []byte) (*Sealer, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("seal: a key has %d bytes, not %d", keySize, len(key))
	}
	// Two derived values instead of the key itself: the id is written in clear next to each record, and nothing that is
	// published may be a function of the bytes that encrypt.
	encryption, err := hkdf.Key(sha256.New, key, nil, "countersign seal 1: aes-256-gcm", keySize)
	if err != nil {
		return nil, fmt.Errorf("seal: derive the key: %w", err)
	}
	id, err := hkdf.Key(sha256.New, key, nil, "countersign seal 1: key id", keyIDSize)
	if err != nil {
		return nil, fmt.Errorf("seal: derive the key id: %w", err)
	}
	block, err := aes.NewCipher(encryption)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	// NIST SP 800-38D, Section 8.3: with random 96-bit nonces one key may seal 2^32 records. A write a second stays under
	// that for 136 years.
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	s := &Sealer{aead: aead}
	copy(s.id[:], id)
	return s, nil
}

// KeyID names the key, for a comparison or a message: eight hexadecimal digits that say nothing about its bytes.
func (s *Sealer) KeyID() string { return hex.EncodeToString(s.id[:]) }

// String returns the key's id and nothing of the key, so that a Sealer in a log line is harmless.
func (s *Sealer) String() string { return "seal.Sealer(" + s.KeyID() + ")" }

// Seal returns plaintext encrypted. The context (see [Context]) says where the record lives; it is not stored, but
// [Sealer.Open] needs the same, so that nobody can move a sealed secret to another row and have it accepted there.
func (s *Sealer) Seal(plaintext, context []byte) []byte {
	head := append([]byte{version1}, s.id[:]...)
	sealed := make([]byte, headSize, headSize+len(plaintext)+gcmExtra)
	copy(sealed, head)
	return s.aead.Seal(sealed, nil, plaintext, append(head, context...))
}

// Open returns what was given to [Sealer.Seal] with the same context. Its errors name the record by its context and are
// [ErrOtherKey], [ErrDamaged] or [ErrVersion].
func (s *Sealer) Open(sealed, context []byte) ([]byte, error) { return s.open(nil, sealed, context) }

// OpenInPlace is [Sealer.Open] that writes the plaintext over the sealed bytes, which it uses up also when it fails.
func (s *Sealer) OpenInPlace(sealed, context []byte) ([]byte, error) {
	return s.open(sealed[min(len(sealed), headSize):][:0], sealed, context)
}

// open appends the plaintext to dst.
func (s *Sealer) open(dst, sealed, context []byte) ([]byte, error) {
	if len(sealed) < headSize+gcmExtra {
		return nil, openError(context, ErrDamaged)
	}
	if sealed[0] != version1 {
		return nil, openError(context, ErrVersion)
	}
	if subtle.ConstantTimeCompare(sealed[1:headSize], s.id[:]) != 1 {
		return nil, openError(context, ErrOtherKey)
	}
	additional := append(append(make([]byte, 0, headSize+len(context)), sealed[:headSize]...), context...)
	plaintext, err := s.aead.Open(dst, nil, sealed[headSize:], additional)
	if err != nil {
		return nil, openError(context, ErrDamaged)
	}
	return plaintext, nil
}

func openError(context []byte, err error) error {
	return fmt.Errorf("seal: record %q: %w", context, err)
}

// Context names a record by its parts, for example kind, pool and id: "client/ap-southeast-1_AbCdEf123/4kq…".
// Each part is escaped, so that no two different lists give the same context.
func Context(parts ...string) []byte {
	escaped := make([]string, len(parts))
	for i, part := range parts {
		escaped[i] = url.PathEscape(part)
	}
	return []byte(strings.Join(escaped, "/"))
}
