package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
)

func newIssuerBackup() *cobra.Command {
	var config issuerConfig
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the SQLite store to a file while the issuer runs",
		Long: `Copies the issuer's SQLite store, as it stands at one moment, to a new file with mode 0600. The issuer may run and write
meanwhile; a plain copy of its file would lack what is in the log beside it. Secrets are sealed in the copy as they are in
the store: the file of sealKey opens both, and has to be kept too, apart from the copy.

Back comes a copy with cp, under the store's name, while no issuer runs. PostgreSQL has pg_dump. The page docs/issuer-store.md
has both.

Exit codes: 0 the copy is on the disk, 2 it could not be made.`,
		Example: `  countersign issuer backup /backup/issuer-$(date +%F).db --config issuer.yaml`,
		Args:    one("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := config.backup(cmd, args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: the store; it needs the key file of sealKey\n", args[0])
			return err
		},
	}
	config.add(cmd)
	return cmd
}

func (c *issuerConfig) backup(cmd *cobra.Command, path string) error {
	loaded, err := c.load()
	if err != nil {
		return err
	}
	if loaded.Store.SQLite == "" {
		return errors.New("the store is in PostgreSQL; type: pg_dump --format=custom --table='countersign_*' --file=FILE DSN")
	}
	if _, err := os.Stat(loaded.Store.SQLite); err != nil {
		return fmt.Errorf("%w; an issuer makes the store when it starts", err)
	}
	store, err := loaded.OpenStore(cmd.Context())
	if err != nil {
		return err
	}
	err = store.(*issuer.SQLite).Backup(cmd.Context(), path)
	return errors.Join(err, store.Close())
}
