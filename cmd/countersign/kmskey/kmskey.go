// Package kmskey keeps the key that seals an issuer's store under AWS KMS: a file holds it as KMS has encrypted it, and only
// who may call kms:Decrypt opens it.
//
// KMS is asked at the start of a process, once; the key itself is in memory only. The encryption context names the issuer, so
// that CloudTrail shows whose key was opened and another issuer's file does not open here. Start at [Open] and [Put].
package kmskey

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
)

// A Key is what a configuration says about the sealing key.
type Key struct {
	File   string // of the encrypted key
	KMS    string // ARN, id or alias of the KMS key
	Issuer string // the name in the encryption context
}

// contextName is the member of the encryption context that names the issuer; a key policy may demand it, as
// kms:EncryptionContext:countersign:issuer.
const contextName = "countersign:issuer"

// attemptTimeout bounds one attempt: whoever waits is an issuer's start.
const attemptTimeout = 10 * time.Second

var keyPattern = regexp.MustCompile(`\A(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/[A-Za-z0-9/_-]+` +
	`|alias/[A-Za-z0-9/_-]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})\z`)

// IsKey says whether the text has the form of a KMS key: an ARN, a key id, or alias/NAME.
func IsKey(text string) bool { return keyPattern.MatchString(text) }

// Open reads the file and lets KMS decrypt the key, under that KMS key and for that issuer only.
func Open(ctx context.Context, k Key) (*seal.Sealer, error) {
	e, err := seal.ReadEnvelope(k.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w; make it once with: %s; if there is a store already, restore the file from a backup: only its key opens the store", err, k.command())
	case errors.Is(err, seal.ErrPlain):
		return nil, fmt.Errorf("%w; to bring it under the KMS key, type: %s", err, k.command())
	case err != nil:
		return nil, err
	case e.Issuer != k.Issuer:
		return nil, fmt.Errorf("%s was made for the issuer %q, and here it is %q: name the right file, or write sealKey.issuer: %s",
			k.File, e.Issuer, k.Issuer, e.Issuer)
	}
	plain, err := k.decrypt(ctx, e)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return e.Open(plain)
}

// command is what makes the file, or moves its key.
func (k Key) command() string {
	return fmt.Sprintf("countersign issuer key-file %s --kms %s --issuer %s", k.File, k.KMS, k.Issuer)
}

// decrypt names the KMS key although the ciphertext does, too: a file that somebody has encrypted under a key of their own
// must not open.
func (k Key) decrypt(ctx context.Context, e *seal.Envelope) ([]byte, error) {
	client, err := k.client(ctx)
	if err != nil {
		return nil, err
	}
	out, err := client.Decrypt(ctx, &kms.DecryptInput{KeyId: &k.KMS, CiphertextBlob: e.Ciphertext, EncryptionContext: k.context()})
	if err != nil {
		return nil, k.explain(err, e, client.Options().Region)
	}
	return out.Plaintext, nil
}

// encrypt is for a key that is there already.
func (k Key) encrypt(ctx context.Context, plain []byte) (*seal.Envelope, error) {
	client, err := k.client(ctx)
	if err != nil {
		return nil, err
	}
	out, err := client.Encrypt(ctx, &kms.EncryptInput{KeyId: &k.KMS, Plaintext: plain, EncryptionContext: k.context()})
	if err != nil {
		return nil, k.explain(err, nil, client.Options().Region)
	}
	return k.envelope(plain, out.KeyId, out.CiphertextBlob)
}

// generate has KMS make a new key.
func (k Key) generate(ctx context.Context) (*seal.Envelope, error) {
	client, err := k.client(ctx)
	if err != nil {
		return nil, err
	}
	out, err := client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: &k.KMS, KeySpec: types.DataKeySpecAes256, EncryptionContext: k.context()})
	if err != nil {
		return nil, k.explain(err, nil, client.Options().Region)
	}
	defer clear(out.Plaintext)
	return k.envelope(out.Plaintext, out.KeyId, out.CiphertextBlob)
}

func (k Key) envelope(plain []byte, arn *string, ciphertext []byte) (*seal.Envelope, error) {
	id, err := seal.KeyIDOf(plain)
	if err != nil {
		return nil, err
	}
	if arn == nil || *arn == "" || len(ciphertext) == 0 {
		return nil, errors.New("the answer of KMS has no key or no ciphertext: is AWS_ENDPOINT_URL, if it is set, what you mean?")
	}
	return &seal.Envelope{Issuer: k.Issuer, KMSKey: *arn, KeyID: id, Ciphertext: ciphertext}, nil
}

func (k Key) context() map[string]string { return map[string]string{contextName: k.Issuer} }

// client is for the region of the key's ARN, or for that of the environment.
func (k Key) client(ctx context.Context) (*kms.Client, error) {
	region := ""
	if parts := strings.Split(k.KMS, ":"); parts[0] == "arn" && len(parts) > 3 {
		region = parts[3]
	}
	cfg, err := aws.Load(ctx, aws.Options{Region: region, Timeout: attemptTimeout})
	if errors.Is(err, aws.ErrNoRegion) {
		return nil, errors.New("no AWS region: write the ARN of the KMS key, which has it, or set AWS_REGION")
	}
	if err != nil {
		return nil, explainLoad(err)
	}
	return kms.NewFromConfig(cfg), nil
}
