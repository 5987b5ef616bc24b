package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
	"github.com/countersign-dev/countersign/cmd/countersign/kmskey"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
)

// checkSealKey says which of the two forms is meant: a name, or a mapping with file and kms.
func (c *Config) checkSealKey(fail failure) {
	k := &c.SealKey
	switch {
	case *k == SealKey{}:
		fail("sealKey", "is missing: the file of the key that seals what is secret in the store")
		return
	case strings.HasPrefix(k.File, "arn:") || strings.HasPrefix(k.File, "alias/"):
		fail("sealKey.file", "%s is a KMS key and no file; write sealKey: {file: seal.key, kms: %s}, and make the file with countersign issuer key-file",
			document.Quote(k.File), k.File)
	case k.File == "" && k.KMS != "":
		fail("sealKey", "has kms and no file; write the file of the encrypted key too, which is made with: countersign issuer key-file FILE --kms %s", k.KMS)
	case k.File == "":
		fail("sealKey", "has no file")
	}
	if k.KMS == "" {
		if k.Issuer != "" {
			fail("sealKey.issuer", "goes with sealKey.kms; without KMS there is no encryption context")
		}
		return
	}
	if !kmskey.IsKey(k.KMS) {
		fail("sealKey.kms", "%s is no KMS key; write its ARN, its id, or alias/NAME; a file is written at sealKey.file", document.Quote(k.KMS))
	}
	if k.Issuer == "" {
		k.Issuer = c.BaseURL
	}
	if k.Issuer == "" {
		fail("sealKey", "has kms, whose encryption context names the issuer; write baseURL, or sealKey.issuer")
	}
}

// openSealer makes a key file only where there is no store that another key has sealed, and none under KMS: a start is allowed
// to decrypt, and no more.
func (c *Config) openSealer(ctx context.Context) (*seal.Sealer, error) {
	k := c.SealKey
	sealer, err := k.open(ctx)
	switch {
	case k.KMS != "": // which says itself what to do
	case errors.Is(err, seal.ErrEncrypted):
		err = fmt.Errorf("%w; write the KMS key too, as sealKey: {file: %s, kms: %s}", err, k.File, kmsKeyOf(k.File))
	case errors.Is(err, os.ErrNotExist):
		switch _, kept := os.Stat(c.Store.SQLite); {
		case c.Store.SQLite == "":
			err = fmt.Errorf("%w; replicas share one key: make it once with: countersign issuer key-file %s", err, k.File)
		case kept == nil:
			err = fmt.Errorf("%w; %s is there, and only the key that sealed it opens it: restore the file from a backup", err, c.Store.SQLite)
		default:
			sealer, err = seal.OpenKeyFile(k.File)
		}
	}
	if err != nil {
		return nil, c.errorAt("sealKey", err)
	}
	return sealer, nil
}

// open reads a key file that is there.
func (k SealKey) open(ctx context.Context) (*seal.Sealer, error) {
	if k.KMS != "" {
		return kmskey.Open(ctx, kmskey.Key{File: k.File, KMS: k.KMS, Issuer: k.Issuer})
	}
	return seal.ReadMountedKeyFile(k.File)
}

// kmsKeyOf is the KMS key that the file says it is from.
func kmsKeyOf(path string) string {
	if e, err := seal.ReadEnvelope(path); err == nil {
		return e.KMSKey
	}
	return "KEY"
}
