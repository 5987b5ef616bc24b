package serve

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/wholefile"
)

// maxAccessKeys bounds the read of the file, where a key has some 150 bytes.
const maxAccessKeys = 1 << 20

// ReadAccessKeys reads the file of access keys, a list of
//
//   - accessKeyId: AKIA…
//     secretAccessKey: …
//     role: admin
//     name: deployer
//
// It refuses a file that others on the machine may read, and says every problem at once, never what a secret is.
func ReadAccessKeys(path string) ([]issuer.Credentials, error) {
	text, err := readPrivate(path, maxAccessKeys)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; make it with: countersign issuer credentials add %s", err, path)
	}
	if err != nil {
		return nil, err
	}
	root, err := document.Parse(path, text)
	if err != nil {
		return nil, err
	}
	if root.Kind != document.Array || len(root.Items) == 0 {
		return nil, root.Place.Errorf("want a list of access keys, each with name, accessKeyId, secretAccessKey and role")
	}
	var all []issuer.Credentials
	var problems []error
	seen := map[string]bool{}
	for _, item := range root.Items {
		c, err := accessKey(item)
		if err == nil && seen[c.AccessKeyID] {
			err = item.Place.Errorf("the access key %s is there twice", document.Quote(c.AccessKeyID))
		}
		seen[c.AccessKeyID] = true
		problems = append(problems, err)
		all = append(all, c)
	}
	return all, errors.Join(problems...)
}

func accessKey(n *document.Node) (c issuer.Credentials, err error) {
	if n.Kind != document.Object {
		return c, n.Place.Errorf("want an access key with name, accessKeyId, secretAccessKey and role")
	}
	texts := map[string]string{}
	for _, m := range n.Members {
		switch m.Name {
		case "name", "accessKeyId", "secretAccessKey", "role":
		default:
			return c, m.Place.Errorf("the key %s is unknown; known here: name, accessKeyId, secretAccessKey, role", document.Quote(m.Name))
		}
		if m.Value.Kind != document.String || m.Value.Text == "" {
			return c, m.Value.Place.Errorf("%s is not a string; put it in quotes", m.Name)
		}
		texts[m.Name] = m.Value.Text
	}
	c = issuer.Credentials{
		AccessKeyID: texts["accessKeyId"], SecretAccessKey: issuer.Secret(texts["secretAccessKey"]),
		Name: texts["name"], Role: issuer.Role(texts["role"]),
	}
	if c.Role == "" { // the zero value means admin to Go code; in a file that people write it is a slip
		return c, n.Place.Errorf("role is missing; want %s or %s", issuer.Admin, issuer.ReadOnly)
	}
	if err := c.Validate(); err != nil {
		return c, n.Place.Errorf("%s", err)
	}
	return c, nil
}

// AddAccessKey appends a new access key to the file at path, or makes the file with mode 0600. It returns the id: the secret is
// in the file only.
func AddAccessKey(path, name string, role issuer.Role) (id string, err error) {
	c := issuer.NewCredentials()
	c.Name, c.Role = name, role
	if err := c.Validate(); err != nil {
		return "", err
	}
	entry := fmt.Sprintf("- accessKeyId: %q\n  secretAccessKey: %q\n  role: %s\n", c.AccessKeyID, c.SecretAccessKey.Reveal(), c.Role)
	if c.Name != "" {
		entry += fmt.Sprintf("  name: %q\n", c.Name)
	}
	err = beginAccessKeys(path, entry)
	if errors.Is(err, fs.ErrExist) {
		err = appendAccessKey(path, entry)
	}
	if err != nil {
		return "", err
	}
	return c.AccessKeyID, nil
}

// beginAccessKeys makes the file. One that is there, perhaps since a moment ago, is fs.ErrExist.
func beginAccessKeys(path, entry string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return cmp.Or(err, fs.ErrExist)
	}
	err := wholefile.Create(path, []byte("# Access keys of the issuer's JSON API. Whoever reads this file is who it says.\n"+entry), 0o600)
	if _, missing := os.Stat(path); errors.Is(err, fs.ErrExist) && errors.Is(missing, fs.ErrNotExist) {
		return fmt.Errorf("write the access keys: %s is a link to a file that is not there; make that one", path)
	}
	if err != nil {
		err = fmt.Errorf("write the access keys: %w", err)
	}
	return err
}

// appendAccessKey holds the lock from the read to the write: of two that add a key at once the later one would write over the key of
// the other.
func appendAccessKey(path, entry string) error {
	release, err := lockPrivate(path)
	if err != nil {
		return fmt.Errorf("lock the access keys: %w", err)
	}
	defer release()
	text, err := readPrivate(path, maxAccessKeys)
	if err != nil {
		return err
	}
	if _, err := ReadAccessKeys(path); err != nil {
		return err
	}
	if err := replacePrivate(path, []byte(strings.TrimRight(string(text), "\n")+"\n"+entry)); err != nil {
		return fmt.Errorf("write the access keys: %w", err)
	}
	return nil
}

// readPrivate reads a file that holds secrets. Its group may read it: what Kubernetes mounts belongs to root and to the pod's
// group.
func readPrivate(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file (%s)", path, info.Mode().Type())
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o037 != 0 {
		return nil, fmt.Errorf("%s has mode %04o, so that others may use what it holds; type: chmod 600 %s", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s is larger than %d KiB", path, limit>>10)
	}
	return text, err
}

// replacePrivate is wholefile.Replace for a file whose mode and owner stay, since who runs the command is often not the user that
// the issuer reads the file as. A link stays one: its target is replaced.
func replacePrivate(path string, content []byte) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	return writePrivate(target, content, func(f *os.File) error {
		return errors.Join(keepOwner(f, info), f.Chmod(info.Mode().Perm()))
	})
}

func writePrivate(path string, content []byte, prepare func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err = prepare(f); err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
