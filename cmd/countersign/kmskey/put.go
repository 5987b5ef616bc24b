package kmskey

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
)

// Done is what [Put] did.
type Done string

// What there is to do.
const (
	Made    Done = "made"    // there was no file
	Moved   Done = "moved"   // the key was in a key file, under another KMS key, or for another issuer
	Nothing Done = "nothing" // it was there
)

// Put makes the file with a new key, or brings the key of the file that is there under the KMS key: that of a plain key file,
// and that of another KMS key, or issuer. The key stays the same, so nothing is sealed anew. What is written has been opened
// again before: a key that may encrypt but not decrypt would lock the store.
//
// An empty Issuer is that of the file.
func Put(ctx context.Context, k Key) (Done, *seal.Envelope, error) {
	old, err := seal.ReadEnvelope(k.File)
	if old != nil && k.Issuer == "" {
		k.Issuer = old.Issuer
	}
	if k.Issuer == "" {
		return "", nil, errors.New("--issuer is missing: the issuer's URL, as baseURL in its configuration; it is in the encryption context of every call of KMS")
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return k.make(ctx)
	case errors.Is(err, seal.ErrPlain):
		plain, err := seal.ExportKey(k.File)
		if err != nil {
			return "", nil, err
		}
		return k.move(ctx, nil, plain)
	case err != nil:
		return "", nil, err
	}
	plain, err := Key{k.File, old.KMSKey, old.Issuer}.decrypt(ctx, old)
	if err != nil {
		return "", nil, err
	}
	if _, err := old.Open(plain); err != nil {
		return "", nil, err
	}
	return k.move(ctx, old, plain)
}

func (k Key) make(ctx context.Context) (Done, *seal.Envelope, error) {
	e, err := k.generate(ctx)
	if err != nil {
		return "", nil, err
	}
	if err := k.tryOut(ctx, e); err != nil {
		return "", nil, err
	}
	return Made, e, e.Create(k.File)
}

func (k Key) move(ctx context.Context, old *seal.Envelope, plain []byte) (Done, *seal.Envelope, error) {
	defer clear(plain)
	e, err := k.encrypt(ctx, plain)
	if err != nil {
		return "", nil, err
	}
	// The answer has the ARN, whatever the key was called by.
	if old != nil && old.KMSKey == e.KMSKey && old.Issuer == e.Issuer {
		return Nothing, old, nil
	}
	if err := k.tryOut(ctx, e); err != nil {
		return "", nil, err
	}
	return Moved, e, e.Replace(k.File)
}

// tryOut opens what is to be written, as the issuer's start will.
func (k Key) tryOut(ctx context.Context, e *seal.Envelope) error {
	plain, err := k.decrypt(ctx, e)
	if err == nil {
		_, err = e.Open(plain)
		clear(plain)
	}
	if err != nil {
		return fmt.Errorf("nothing was written, since what KMS has encrypted does not open again: %w", err)
	}
	return nil
}
