package kmskey

import (
	"errors"
	"fmt"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
)

// explain says what a person does about an error of KMS. The envelope is nil where nothing was to be decrypted.
func (k Key) explain(err error, e *seal.Envelope, region string) error {
	err = aws.Explain(err, region)
	var said *aws.Error
	if !errors.As(err, &said) {
		return err
	}
	if advice := k.advice(said.Code, e, region); advice != "" {
		said.Advice = advice
	}
	switch said.Code {
	case "AccessDeniedException", "NotAuthorizedException":
		said.Advice += "\nthe policy of the KMS key has to let them too"
		if e != nil {
			said.Advice += k.origin(e)
		}
	case "": // nobody answered
		said.Advice += "\nKMS is needed at the start only: an issuer that runs goes on without it"
	}
	return said
}

// explainLoad speaks of an issuer, which runs under a role, and of no person at a terminal.
func explainLoad(err error) error {
	var said *aws.Error
	if errors.As(err, &said) && said.Text == "no AWS credentials" {
		said.Advice = "KMS decrypts the sealing key at the start: give the process a role (of its instance, task or service account), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
	}
	return err
}

func (k Key) advice(code string, e *seal.Envelope, region string) string {
	switch code {
	case "DisabledException":
		return fmt.Sprintf("the KMS key is disabled; enable it: aws kms enable-key --region %s --key-id %s", region, keyOf(k, e))
	case "KMSInvalidStateException":
		return fmt.Sprintf("the KMS key cannot be used as it is, as one that waits for its deletion: look with aws kms describe-key --region %s --key-id %s; "+
			"aws kms cancel-key-deletion and aws kms enable-key bring it back", region, keyOf(k, e))
	case "NotFoundException":
		return fmt.Sprintf("there is no KMS key %s in region %s", k.KMS, region)
	case "IncorrectKeyException":
		return "the file was encrypted under another KMS key" + k.origin(e) + "\nwrite that one, or move the key with: " + k.command()
	case "InvalidCiphertextException":
		return fmt.Sprintf("the file does not belong to the issuer %q, which is the encryption context, or it is damaged: restore it from a backup", k.Issuer)
	case "InvalidKeyUsageException":
		return "it takes a symmetric KMS key for encryption (SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT)"
	}
	return ""
}

// origin says which key the file says that it is from; people who mean another one see it there.
func (k Key) origin(e *seal.Envelope) string {
	if e == nil || e.KMSKey == k.KMS {
		return ""
	}
	return fmt.Sprintf("\n%s was encrypted under %s, and asked for is %s", k.File, e.KMSKey, k.KMS)
}

// keyOf is the ARN where the file has it: the commands of the AWS CLI about a key's state take no alias.
func keyOf(k Key, e *seal.Envelope) string {
	if e != nil {
		return e.KMSKey
	}
	return k.KMS
}
