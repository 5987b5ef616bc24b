package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
	"github.com/countersign-dev/countersign/cmd/countersign/portable"
	"github.com/countersign-dev/countersign/cognito"
)

func newPoolImport() *cobra.Command {
	var place poolPlace
	var options cognito.ImportOptions
	var poolID, from, output string
	cmd := &cobra.Command{
		Use:   "import FILE | POOL",
		Short: "Make a user pool from YAML, from Amazon Cognito or from a dev's state",
		Long: `Makes the user pool that the file describes, that Amazon Cognito has, or that is in the state of a countersign dev, with the ids
that it has there. A file named - is standard input. An issuer that runs on the store follows within a second; a countersign dev
must be stopped meanwhile. From a dev's state come its client secrets and signing keys too: tokens stay valid.

An app client that the file gives a secret without its value gets a new one. Without signing keys in the file the pool gets new
ones: tokens of the old issuer do not verify with the new one.

Exit codes: 0 imported, 2 it could not be done. --output json prints {"pool": ID, "newSecrets": [client ids]}.`,
		Example: `  countersign pool import pool.yaml --config issuer.yaml
  countersign pool import --from-aws ap-southeast-1_AbCdEf123 --state ./state
  countersign pool import ap-southeast-1_AbCdEf123 --from-state ./state --config issuer.yaml
  countersign pool import pool.yaml --replace     # in the place of what the pool was`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			place.fromAWS = poolID != ""
			if err := errors.Join(place.check(), checkOutput(output, textOrJSON...)); err != nil {
				return err
			}
			if place.fromAWS == (len(args) == 1) {
				return errors.New("name a file to import, or a user pool of Amazon Cognito with --from-aws; one of the two")
			}
			if place.fromAWS && from != "" {
				return errors.New("--from-aws and --from-state are two places; keep one")
			}
			result, err := importPool(cmd, place, from, args, poolID, options)
			if err != nil {
				return err
			}
			return printImport(cmd.OutOrStdout(), output, result)
		},
	}
	place.add(cmd)
	cmd.Flags().StringVar(&poolID, "from-aws", "", "id of a user pool to read from Amazon Cognito, with the credentials of the AWS CLI")
	cmd.Flags().StringVar(&from, "from-state", "", "state directory of a countersign dev that has the user pool POOL")
	_ = cmd.MarkFlagDirname("from-state")
	cmd.Flags().BoolVar(&options.Replace, "replace", false, "take the place of the pool of the same id, with all that belongs to it but its signing keys")
	addOutput(cmd, &output, textOrJSON...)
	return cmd
}

func importPool(cmd *cobra.Command, place poolPlace, from string, args []string, poolID string, options cognito.ImportOptions) (cognito.ImportResult, error) {
	var text []byte
	var err error
	switch {
	case place.fromAWS:
		text, err = place.aws(cmd.Context(), poolID)
	case from != "":
		text, err = (&poolPlace{state: from}).document(cmd.Context(), args[0])
	default:
		text, err = readPool(cmd.InOrStdin(), args[0])
	}
	if err != nil {
		return cognito.ImportResult{}, err
	}
	service, closer, err := place.write(cmd.Context())
	if err != nil {
		return cognito.ImportResult{}, err
	}
	result, err := service.ImportPool(asCommand(cmd.Context()), text, options)
	if err = errors.Join(plain(err), closer.Close()); err != nil && len(args) == 1 {
		err = fmt.Errorf("%s: %w", args[0], err)
	}
	return result, err
}

// document is a pool with all its secrets and keys, for another store of the same person's.
func (p *poolPlace) document(ctx context.Context, poolID string) ([]byte, error) {
	service, closer, err := p.read(ctx)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	text, err := service.ExportPool(poolID, cognito.ExportOptions{Secrets: true, Keys: true})
	return text, plain(err)
}

func readPool(stdin io.Reader, path string) ([]byte, error) {
	in, name := stdin, "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in, name = f, path
	}
	text, err := io.ReadAll(io.LimitReader(in, document.MaxSize+1))
	if err != nil {
		return nil, err
	}
	return portable.Decode(name, text)
}

func printImport(w io.Writer, output string, result cognito.ImportResult) error {
	if output == "json" {
		if result.NewSecrets == nil {
			result.NewSecrets = []string{}
		}
		return json.NewEncoder(w).Encode(map[string]any{"pool": result.PoolID, "newSecrets": result.NewSecrets})
	}
	fmt.Fprintf(w, "imported user pool %s\n", result.PoolID)
	for _, id := range result.NewSecrets {
		fmt.Fprintf(w, "app client %s has a new secret: the file did not have it; ask for it with aws cognito-idp describe-user-pool-client\n", id)
	}
	return nil
}
