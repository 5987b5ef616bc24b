package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/kmskey"
	"github.com/countersign-dev/countersign/cmd/countersign/serve"
)

func newIssuerReseal() *cobra.Command {
	var config issuerConfig
	var key serve.SealKey
	cmd := &cobra.Command{
		Use:   "reseal FILE",
		Short: "Seal the store under another key",
		Long: `Seals every client secret and signing key in the store under the key in FILE, which countersign issuer key-file makes,
in the place of the key that the configuration names: in one transaction, whole or not at all. Typed again, it does nothing.

Issuers that run go on issuing tokens and refuse changes, and say so in their log, until they start with the new key: write it into the
configuration as sealKey, and start them one after the other. Backups from before need the old key.

Who had the old key and a copy of the store has its secrets: give clients new ones, and pools new keys, if that may be.

Exit codes: 0 the store is sealed under that key, 2 it is as it was.`,
		Example: `  countersign issuer key-file seal-2.key
  countersign issuer reseal seal-2.key --config issuer.yaml
  countersign issuer reseal seal-2.key --kms alias/issuer --config issuer.yaml   # FILE is under AWS KMS`,
		Args: one("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := config.load()
			if err != nil {
				return err
			}
			key.File = args[0]
			switch {
			case key.KMS == "" && key.Issuer != "":
				return errors.New("--issuer goes with --kms")
			case key.KMS != "" && !kmskey.IsKey(key.KMS):
				return fmt.Errorf("--kms %q is no KMS key; write its ARN, its id, or alias/NAME", key.KMS)
			case key.KMS != "" && key.Issuer == "":
				key.Issuer = c.BaseURL
			}
			return reseal(cmd, c, key)
		},
	}
	config.add(cmd)
	cmd.Flags().StringVar(&key.KMS, "kms", "", "AWS KMS key that decrypts FILE: ARN, id, or alias/NAME")
	cmd.Flags().StringVar(&key.Issuer, "issuer", "", "what the encryption context of FILE names (default: baseURL of the configuration)")
	_ = cmd.RegisterFlagCompletionFunc("kms", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("issuer", cobra.NoFileCompletions)
	return cmd
}

// fromConfig is the name of a file as the configuration has to write it, where paths are relative to its own directory.
func fromConfig(config, file string) string {
	dir, err1 := filepath.Abs(filepath.Dir(config))
	whole, err2 := filepath.Abs(file)
	if err1 != nil || err2 != nil {
		return file
	}
	if short, err := filepath.Rel(dir, whole); err == nil && filepath.IsLocal(short) {
		return short
	}
	return whole
}

func reseal(cmd *cobra.Command, c *serve.Config, key serve.SealKey) error {
	out, err := serve.Reseal(cmd.Context(), c, key)
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	if out.Nothing {
		_, err = fmt.Fprintf(w, "nothing to do: the store is sealed under key %s already\n", out.KeyID)
		return err
	}
	file := fromConfig(c.Path, key.File)
	form := fmt.Sprintf("%q", file)
	if key.KMS != "" {
		form = fmt.Sprintf("{file: %q, kms: %q, issuer: %q}", file, key.KMS, key.Issuer)
	}
	_, err = fmt.Fprintf(w, "%d secrets are sealed under key %s now\nin the issuer's configuration:\nsealKey: %s\nstart every issuer again with it: until then it issues tokens and refuses changes\n",
		out.Secrets, out.KeyID, form)
	return err
}
