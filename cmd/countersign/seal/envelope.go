package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/countersign-dev/countersign/cmd/countersign/wholefile"
)

// An Envelope is the key of a [Sealer] as a key management service has encrypted it. It is no secret: only the service opens it.
type Envelope struct {
	Version    string `json:"version"`
	Issuer     string `json:"issuer"`     // in the encryption context: for another name the service refuses to open it
	KMSKey     string `json:"kmsKey"`     // ARN of the key that encrypted it
	KeyID      string `json:"keyId"`      // of the [Sealer], so that a damaged file and the wrong one are told apart
	Ciphertext []byte `json:"ciphertext"` // in base64
}

const (
	envelopeVersion = "countersign-kms-key-1"
	// AWS KMS answers 184 octets for a key of 32, and takes 6,144 (API reference, Decrypt, CiphertextBlob).
	envelopeMaxSize = 16 << 10
)

var (
	// ErrEncrypted says that a key file was to be read that is an [Envelope].
	ErrEncrypted = errors.New("it is encrypted by AWS KMS")
	// ErrPlain says that an [Envelope] was to be read from a key file.
	ErrPlain = errors.New("it holds the key itself, not one that AWS KMS has encrypted")
)

// ReadEnvelope reads an envelope. Anybody may read its file. A key file is [ErrPlain], no file is fs.ErrNotExist.
func ReadEnvelope(path string) (*Envelope, error) {
	content, err := readBounded(path, envelopeMaxSize)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if bytes.HasPrefix(content, []byte(keyFilePrefix+":")) {
		return nil, fmt.Errorf("seal: %s: %w", path, ErrPlain)
	}
	e := new(Envelope)
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err = decoder.Decode(e); err == nil && decoder.More() {
		err = errors.New("there is more after its end")
	}
	switch {
	case err != nil || e.Version != envelopeVersion:
		return nil, fmt.Errorf("seal: %s is no file of a key that AWS KMS has encrypted, or a damaged one; restore it from a backup", path)
	case e.Issuer == "" || e.KMSKey == "" || e.KeyID == "" || len(e.Ciphertext) == 0:
		return nil, fmt.Errorf("seal: %s lacks issuer, kmsKey, keyId or ciphertext; restore it from a backup", path)
	}
	return e, nil
}

// readBounded reads a file and refuses what is none, or is too long.
func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is not a file", path), err)
	}
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("%s is too long", path)
	}
	return content, err
}

// Open returns the [Sealer] of the key that the service has decrypted.
func (e *Envelope) Open(key []byte) (*Sealer, error) {
	s, err := New(key)
	if err != nil {
		return nil, err
	}
	if s.KeyID() != e.KeyID {
		return nil, fmt.Errorf("seal: what was decrypted is key %s, and the file is about key %s: "+
			"the file was changed; restore it from a backup", s.KeyID(), e.KeyID)
	}
	return s, nil
}

// Create writes a new file, which must not exist; on the disk, whole or not at all.
func (e *Envelope) Create(path string) error { return e.write(path, putNew) }

// Replace writes over an envelope or a key file: at any moment the file is the old one or the new one.
func (e *Envelope) Replace(path string) error { return e.write(path, putOver) }

func (e *Envelope) write(path string, put func(path string, content []byte, mode fs.FileMode) error) error {
	e.Version = envelopeVersion
	content, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	// It is no secret, and who makes it is often not the user that the issuer runs as.
	if err := put(path, append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("seal: write the encrypted key: %w", err)
	}
	return nil
}

// ExportKey returns the key itself of a key file, for a service to encrypt it. A file that others may read is refused as
// [ReadMountedKeyFile] does.
func ExportKey(path string) ([]byte, error) { return readKey(path, 0o037) }

// KeyIDOf returns the id that a [Sealer] of the key has.
func KeyIDOf(key []byte) (string, error) {
	s, err := New(key)
	if err != nil {
		return "", err
	}
	return s.KeyID(), nil
}

// putOver replaces a file by renaming another to its name. A link stays one: its target is replaced.
func putOver(path string, content []byte, mode fs.FileMode) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	return wholefile.Replace(target, content, mode)
}
