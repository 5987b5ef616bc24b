package issuer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/countersign-dev/countersign/cmd/countersign/wholefile"
)

// Backup writes the records as they stand now to a new file at path, with mode 0600, on the disk before it returns: a
// database that [OpenSQLite] opens with the same sealer. Others may read and write meanwhile. It replaces no file, and
// leaves none behind when it fails.
func (s *SQLite) Backup(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // SQLite would make it for others to read
	if err != nil {
		return fmt.Errorf("issuer: back up to a new file: %w", err)
	}
	_, err = s.write.ExecContext(ctx, `VACUUM INTO ?`, path)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = wholefile.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return explain("back up", s.path, errors.Join(err, os.Remove(path)))
	}
	return nil
}
