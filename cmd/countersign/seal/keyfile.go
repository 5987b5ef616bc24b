package seal

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/wholefile"
)

// A key file is one line, so that it survives a password manager and a Kubernetes Secret:
//
//	countersign-key-1:<base64url of 32 bytes>:<the first 8 hexadecimal digits of their SHA-256>
//
// The digest tells a damaged key file from the wrong one before any record is tried.
const (
	keyFilePrefix  = "countersign-key-1"
	keyFileMaxSize = 1 << 10
)

// OpenKeyFile returns the Sealer of the key file at path and makes both the file and its directory if there are none:
// 256 random bits, mode 0600, written whole or not at all, on the disk before it returns. An existing file is never
// written to. It refuses a file that others may read, and a damaged one.
//
// A caller that already holds sealed data uses [ReadKeyFile]: a new key would not open it.
func OpenKeyFile(path string) (*Sealer, error) {
	s, err := ReadKeyFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	if err := createKeyFile(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("seal: create the key file: %w", err)
	}
	// Read back in either case: when two processes start at once, both must use the key that is on the disk.
	return ReadKeyFile(path)
}

// ReadKeyFile is [OpenKeyFile] for a file that must exist; without one the error is fs.ErrNotExist.
func ReadKeyFile(path string) (*Sealer, error) { return readKeyFile(path, 0o077) }

// ReadMountedKeyFile is [ReadKeyFile] for a file that an orchestrator mounts: Kubernetes gives it to root and lets the pod's
// group read it, mode 0440.
func ReadMountedKeyFile(path string) (*Sealer, error) { return readKeyFile(path, 0o037) }

// readKeyFile refuses a file with one of the forbidden bits in its mode.
func readKeyFile(path string, forbidden fs.FileMode) (*Sealer, error) {
	key, err := readKey(path, forbidden)
	if err != nil {
		return nil, err
	}
	return New(key)
}

func readKey(path string, forbidden fs.FileMode) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("seal: key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("seal: key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("seal: key file %s is not a file (%s); move it away or name another", path, info.Mode().Type())
	}
	content, err := io.ReadAll(io.LimitReader(f, keyFileMaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("seal: key file: %w", err)
	}
	if bytes.Contains(content, []byte(`"`+envelopeVersion+`"`)) { // anybody may read that: it comes before the mode
		return nil, fmt.Errorf("seal: key file %s: %w", path, ErrEncrypted)
	}
	// Windows reports modes that mean nothing; access there is a matter of the directory's access list.
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&forbidden != 0 {
		return nil, fmt.Errorf("seal: key file %s has mode %04o, so that other users may use it; type: chmod 600 %s",
			path, mode, shellQuote(path))
	}
	key, err := parseKey(content)
	if err != nil {
		return nil, fmt.Errorf("seal: key file %s is damaged (%w); what it sealed cannot be opened without the right key file: "+
			"restore it from a backup", path, err)
	}
	return key, nil
}

// parseKey says what is wrong with a key file, never what is in it.
func parseKey(content []byte) ([]byte, error) {
	if len(content) == 0 {
		return nil, errors.New("empty")
	}
	if len(content) > keyFileMaxSize {
		return nil, errors.New("too long")
	}
	parts := strings.Split(string(bytes.TrimSpace(content)), ":")
	if parts[0] != keyFilePrefix {
		return nil, errors.New("it does not begin with " + keyFilePrefix)
	}
	if len(parts) != 3 {
		return nil, errors.New("cut short, or more than one line")
	}
	key, err := base64.RawURLEncoding.Strict().DecodeString(parts[1])
	if err != nil || len(key) != keySize || parts[2] != keyDigest(key) {
		return nil, errors.New("its digest does not match")
	}
	return key, nil
}

func formatKey(key []byte) []byte {
	return []byte(keyFilePrefix + ":" + base64.RawURLEncoding.EncodeToString(key) + ":" + keyDigest(key) + "\n")
}

func keyDigest(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:4])
}

// createKeyFile makes a key and its file.
func createKeyFile(path string) error {
	key := make([]byte, keySize)
	rand.Read(key) // never fails, by its documentation
	return putNew(path, formatKey(key), 0o600)
}

// putNew makes a file that must not be there, and its directory.
func putNew(path string, content []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return wholefile.Create(path, content, mode)
}

// shellQuote makes the command of a message safe to paste.
func shellQuote(path string) string {
	if strings.IndexFunc(path, func(r rune) bool {
		return !strings.ContainsRune("/._-+:@%", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
