package clientcredentials

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	maxCredentialFile = 64 << 10 // bytes; etcd lets a Kubernetes Secret have 1 MiB, a client secret has 64
	swapTries         = 4        // readings of a directory that is swapped again and again

	// byteOrderMark is what some editors put before a text. RFC 8259, Section 8.1: a parser MAY ignore it.
	byteOrderMark = "\xef\xbb\xbf"
)

// File reads client id and secret from path, anew for each token request, so that a replaced secret is in
// use with the next request and nothing has to be restarted. Path is one of
//
//   - a file with a JSON object {"client_id": "…", "client_secret": "…"}, other members allowed;
//   - a directory with the files client_id and client_secret, as Kubernetes mounts a Secret and as the
//     Secrets Store CSI driver mounts its objects. One line end after the value is ignored, and so is a byte order mark.
//
// A second secret of the same client, to be tried when the first is refused, is the member or file
// client_secret_2. A symbolic link is followed at each reading; of a mounted directory, id and secret are
// always of the same version.
func File(path string) Credentials { return file(path) }

type file string

func (f file) check() error {
	if f == "" {
		return errors.New("the path given to File is empty")
	}
	return nil
}

func (f file) Load(context.Context) ([]Credential, error) {
	info, err := os.Stat(string(f))
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return f.directory()
	}
	data, err := readFile(string(f))
	if err != nil {
		return nil, err
	}
	return parseCredentials(string(f), data)
}

// directory reads the files of one version. Kubernetes replaces a version by swapping the symbolic link
// ..data to a new directory; reading through the link twice could pair an old id with a new secret. A
// version may be removed while it is read, and then the next one is there.
func (f file) directory() ([]Credential, error) {
	for range swapTries {
		version, err := f.version()
		if err != nil {
			return nil, err
		}
		list, err := readPair(version)
		if err == nil {
			return list, nil
		}
		if after, errAfter := f.version(); errAfter == nil && after == version {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s changed at each of %d readings", string(f), swapTries)
}

func (f file) version() (string, error) {
	version, err := filepath.EvalSymlinks(filepath.Join(string(f), "..data"))
	if errors.Is(err, os.ErrNotExist) {
		return filepath.EvalSymlinks(string(f))
	}
	return version, err
}

func readPair(dir string) ([]Credential, error) {
	id, err := readFile(filepath.Join(dir, "client_id"))
	if err != nil {
		return nil, err
	}
	secret, err := readFile(filepath.Join(dir, "client_secret"))
	if err != nil {
		return nil, err
	}
	second, err := readFile(filepath.Join(dir, "client_secret_2"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return pair(oneLine(id), oneLine(secret), oneLine(second)), nil
}

// parseCredentials reads the JSON form. Its errors name the file and the member, and never the content:
// the message of a JSON decoder may repeat it.
func parseCredentials(name string, data []byte) ([]Credential, error) {
	object, err := members(data)
	if err != nil {
		return nil, fmt.Errorf(`%s is not a JSON object {"client_id": "…", "client_secret": "…"}`, name)
	}
	var values [3]string // null, as a second secret, is none
	for i, key := range []string{"client_id", "client_secret", "client_secret_2"} {
		raw, found := object[key]
		if !found && i < 2 {
			return nil, fmt.Errorf("%s has no member %q", name, key)
		}
		if found && json.Unmarshal(raw, &values[i]) != nil || i < 2 && string(raw) == "null" {
			return nil, fmt.Errorf("%s: the member %q is not a string", name, key)
		}
	}
	return pair(values[0], values[1], values[2]), nil
}

func pair(id, secret, second string) []Credential {
	list := []Credential{{ClientID: id, ClientSecret: secret}}
	if second != "" {
		list = append(list, Credential{ClientID: id, ClientSecret: second})
	}
	return list
}

// readFile reads a regular file of bounded size; opening a pipe would wait for somebody to write to it.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCredentialFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxCredentialFile {
		return nil, fmt.Errorf("%s is over %d bytes", name, maxCredentialFile)
	}
	return bytes.TrimPrefix(data, []byte(byteOrderMark)), nil
}

// oneLine drops the line end that an editor or `echo` puts after a value.
func oneLine(data []byte) string {
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
}
