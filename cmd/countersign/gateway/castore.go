package gateway

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cmd/countersign/wholefile"
)

// The two files of a CA. The sealed one is the CA, certificate and key together; the other is a copy of its certificate for
// clients. So one link makes a CA exist, whole, and a crash at any moment leaves nothing to repair by hand.
const (
	sealedFile  = "ca.sealed"
	publicFile  = "ca.pem"
	maxFileSize = 64 << 10
)

var sealContext = seal.Context("edge", "local-ca")

// LoadOrCreateCA returns the certificate authority that is stored in dir, and makes it once, when dir holds none: ca.pem, the
// root certificate, mode 0644, and ca.sealed, the root with its key, sealed, mode 0600.
//
// It never makes a second root while a trace of the first is there, because clients trust the first one. A damaged file, a key
// sealed by another key file, a ca.pem without its ca.sealed and an expired root are errors that name the file and the way out.
// A missing ca.pem is written again, from the same root.
func LoadOrCreateCA(dir string, s *seal.Sealer) (*CA, error) {
	sealedPath, publicPath := filepath.Join(dir, sealedFile), filepath.Join(dir, publicFile)
	sealed, err := readBounded(sealedPath)
	if errors.Is(err, fs.ErrNotExist) {
		if sealed, err = createCA(sealedPath, publicPath, s); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, fmt.Errorf("gateway: local CA: %w", err)
	}
	root, key, err := openCA(sealed, s)
	if err != nil {
		return nil, fmt.Errorf("gateway: local CA: %s: %w; put back the file and its key file, or delete %s and %s to make a new CA, which clients must then trust anew",
			sealedPath, err, sealedPath, publicPath)
	}
	if time.Now().After(root.NotAfter) {
		return nil, expired(publicPath, root)
	}
	if time.Now().Before(root.NotBefore) {
		return nil, fmt.Errorf("gateway: local CA: %s is not valid before %s: the clock was ahead when it was made, or is behind now; set the clock, or delete %s and %s to make a new CA, which clients must then trust anew",
			publicPath, root.NotBefore.Format(time.RFC3339), sealedPath, publicPath)
	}
	if err := publish(publicPath, root); err != nil {
		return nil, err
	}
	return &CA{root: root, key: key, path: publicPath}, nil
}

// createCA makes a root and stores it. It returns what is on the disk, which is another process's root when that was first.
func createCA(sealedPath, publicPath string, s *seal.Sealer) ([]byte, error) {
	if _, err := os.Lstat(publicPath); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("gateway: local CA: %s is there, but its key %s is missing: put it back, or delete %s to make a new CA, which clients must then trust anew",
			publicPath, sealedPath, publicPath)
	}
	root, key, err := newRoot(time.Now())
	if err != nil {
		return nil, fmt.Errorf("gateway: make the local CA: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("gateway: make the local CA: %w", err)
	}
	plain := append(encodeCertificate(root.Raw), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	if err := os.MkdirAll(filepath.Dir(sealedPath), 0o700); err != nil {
		return nil, fmt.Errorf("gateway: store the local CA: %w", err)
	}
	err = wholefile.Create(sealedPath, s.Seal(plain, sealContext), 0o600)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("gateway: store the local CA: %w", err)
	}
	return readBounded(sealedPath)
}

// openCA opens what createCA sealed. Its errors hold no byte of the key.
func openCA(sealed []byte, s *seal.Sealer) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	plain, err := s.Open(sealed, sealContext)
	if err != nil {
		return nil, nil, err
	}
	certBlock, rest := pem.Decode(plain)
	keyBlock, _ := pem.Decode(rest)
	if certBlock == nil || keyBlock == nil {
		return nil, nil, errors.New("want a certificate and a key")
	}
	root, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, nil, errors.New("the certificate does not parse")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || !key.PublicKey.Equal(root.PublicKey) || !isLocalRoot(root) {
		return nil, nil, errors.New("the certificate and the key are not a local CA")
	}
	return root, key, nil
}

// publish makes sure that publicPath holds root and nothing else.
func publish(publicPath string, root *x509.Certificate) error {
	want := encodeCertificate(root.Raw)
	have, err := readBounded(publicPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := wholefile.Replace(publicPath, want, 0o644); err != nil {
			return fmt.Errorf("gateway: store the local CA: %w", err)
		}
	case err != nil:
		return fmt.Errorf("gateway: local CA: %w", err)
	case !bytes.Equal(have, want):
		return fmt.Errorf("gateway: local CA: %s is damaged, or of another CA: delete it, and it is written again from %s",
			publicPath, filepath.Join(filepath.Dir(publicPath), sealedFile))
	}
	return nil
}

func expired(path string, root *x509.Certificate) error {
	return fmt.Errorf("gateway: local CA: %s expired on %s: delete it and %s to make a new CA, which clients must then trust anew",
		path, root.NotAfter.Format(time.DateOnly), filepath.Join(filepath.Dir(path), sealedFile))
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err == nil && len(content) > maxFileSize {
		return nil, fmt.Errorf("%s is larger than a CA file can be: put back the right one", path)
	}
	return content, err
}
