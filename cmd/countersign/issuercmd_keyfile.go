package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/kmskey"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
)

func newIssuerKeyFile() *cobra.Command {
	var key kmskey.Key
	cmd := &cobra.Command{
		Use:   "key-file FILE",
		Short: "Make the file of the key that seals the store",
		Long: `Makes a file with a new random key, with mode 0600, unless it is there already. Replicas that share a database share
this key too. Without it nobody reads the secrets in the store: keep a copy apart from the store's backups.

With --kms the file holds the key as AWS KMS has encrypted it, and --issuer names the issuer in the encryption context: KMS
opens the file for that name only. Where FILE is a key file, or is under another KMS key or for another issuer, its key is moved: it stays the
same, so that the store stays as it is. A copy of an old plain key file still opens the store: keep it in a safe, or remove it.

It calls kms:GenerateDataKey for a new key, kms:Encrypt for a key that moves, and kms:Decrypt, which is all that the issuer
needs, to try out what it writes. Credentials and region are those of the AWS CLI.

Exit codes: 0 the file is there and can be used, 2 it is not.`,
		Example: `  countersign issuer key-file seal.key
  countersign issuer key-file seal.key --kms alias/issuer --issuer https://issuer.example.com
  countersign issuer key-file seal.key --kms alias/another   # under another KMS key`,
		Args: one("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			key.File = args[0]
			if cmd.Flags().Changed("kms") {
				return putKMSKey(cmd, key)
			}
			if key.Issuer != "" {
				return errors.New("--issuer goes with --kms")
			}
			_, err := seal.OpenKeyFile(key.File)
			if errors.Is(err, seal.ErrEncrypted) {
				return fmt.Errorf("%w; with --kms KEY it is looked at, or moved", err)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&key.KMS, "kms", "", "AWS KMS key that encrypts the file: ARN, id, or alias/NAME")
	cmd.Flags().StringVar(&key.Issuer, "issuer", "", "the issuer's URL, as baseURL in its configuration, for the encryption context (default: as the file has it)")
	_ = cmd.RegisterFlagCompletionFunc("kms", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("issuer", cobra.NoFileCompletions)
	return cmd
}

func putKMSKey(cmd *cobra.Command, key kmskey.Key) error {
	if !kmskey.IsKey(key.KMS) {
		return fmt.Errorf("--kms %q is no KMS key; write its ARN, its id, or alias/NAME", key.KMS)
	}
	done, envelope, err := kmskey.Put(cmd.Context(), key)
	if err != nil {
		return err
	}
	return printKMSKey(cmd.OutOrStdout(), key, done, envelope)
}

// printKMSKey ends with what the configuration has to say: between the command and a changed configuration a start fails.
func printKMSKey(w io.Writer, key kmskey.Key, done kmskey.Done, e *seal.Envelope) error {
	said := map[kmskey.Done]string{
		kmskey.Made:    "a new key, encrypted under",
		kmskey.Moved:   "the same key, now encrypted under",
		kmskey.Nothing: "nothing to do: the key is encrypted under",
	}[done]
	_, err := fmt.Fprintf(w, "%s: %s %s\nin the issuer's configuration:\nsealKey: {file: %q, kms: %q, issuer: %q}\n", key.File, said, e.KMSKey, key.File, key.KMS, e.Issuer)
	return err
}
