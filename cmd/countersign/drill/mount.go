package drill

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// mount is a directory as the kubelet mounts a Secret: the files are links through ..data, which is swapped.
type mount struct {
	root, dir string
	version   int
}

func newMount() (*mount, error) {
	root, err := os.MkdirTemp("", "countersign-drill-")
	if err != nil {
		return nil, err
	}
	m := &mount{root: root, dir: filepath.Join(root, "reader")}
	err = os.Mkdir(m.dir, 0o700)
	for _, name := range []string{"client_id", "client_secret"} {
		err = errors.Join(err, os.Symlink(filepath.Join("..data", name), filepath.Join(m.dir, name)))
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(root))
	}
	return m, nil
}

// put swaps in a new version.
func (m *mount) put(id, secret string) error {
	m.version++
	name := fmt.Sprintf("..version-%d", m.version)
	dir := filepath.Join(m.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for file, text := range map[string]string{"client_id": id, "client_secret": secret} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			return err
		}
	}
	next := filepath.Join(m.dir, "..next")
	if err := os.Symlink(name, next); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(m.dir, "..data"))
}
