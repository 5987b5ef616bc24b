package callers

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// File is what a file of callers has.
type File struct {
	Issuer  string // empty if the file names none
	Callers []Caller
}

// maxFile bounds the file, in bytes.
const maxFile = 1 << 20

// ReadFile reads callers from YAML or JSON:
//
//	issuer: https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123
//	clients:
//	  reader:
//	    client_id: 1example23456789
//	    client_secret: …
//	    scopes: [https://api.example.com/orders.read]
//	  writer:
//	    credentials: /var/run/secrets/writer
//
// Credentials name a file or directory as [clientcredentials.File] reads it, in place of id and secret. A file that holds a secret must be
// its owner's alone.
func ReadFile(name string) (File, error) {
	data, mode, err := readPrivate(name)
	if err != nil {
		return File{}, err
	}
	root, err := document.Parse(name, data)
	if err != nil {
		return File{}, err
	}
	r := fileReader{dir: filepath.Dir(name)}
	r.root(root)
	// Windows has other words for who may read a file, and no mode that says it.
	if r.secrets && mode.Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		r.Problems = append(r.Problems, fmt.Errorf("%s holds secrets and can be read by others (mode %04o); run: chmod 600 %s", name, mode.Perm(), name))
	}
	return r.out, errors.Join(r.Problems...)
}

func readPrivate(name string) ([]byte, os.FileMode, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxFile>>20)
	}
	return data, info.Mode(), err
}

// fileReader makes a File of a document.
type fileReader struct {
	document.Reader
	dir     string
	out     File
	secrets bool
}

func (r *fileReader) root(n *document.Node) {
	if !r.Object(n, "a file of clients", "issuer", "clients") {
		return
	}
	r.out.Issuer = r.Word(n, "issuer")
	clients := n.Get("clients")
	if clients == nil {
		r.Failf(n.Place, "clients is missing; list them as name: {client_id: …, client_secret: …, scopes: […]}")
		return
	}
	if !r.Object(clients, "clients") {
		return
	}
	if len(clients.Members) == 0 {
		r.Failf(clients.Place, "there is no client")
	}
	for _, m := range clients.Members {
		r.client(m)
	}
}

func (r *fileReader) client(m document.Member) {
	n := m.Value
	if !r.Object(n, "a client", "client_id", "client_secret", "credentials", "scopes") {
		return
	}
	c := Caller{Name: m.Name}
	id, secret, credentials := r.Word(n, "client_id"), r.Word(n, "client_secret"), r.Word(n, "credentials")
	r.secrets = r.secrets || secret != ""
	switch {
	case credentials != "" && id == "" && secret == "":
		if !filepath.IsAbs(credentials) {
			credentials = filepath.Join(r.dir, credentials)
		}
		c.Credentials = clientcredentials.File(credentials)
	case credentials == "" && id != "" && secret != "":
		c.Credentials = clientcredentials.Static(id, secret)
	default:
		r.Failf(m.Place, "the client has no credentials; write client_id and client_secret, or credentials alone")
		return
	}
	for _, item := range r.List(n, "scopes") {
		if why := badScope(item.Text, c.Scopes); why != "" || item.Kind != document.String {
			r.Failf(item.Place, "%s", cmp.Or(why, "a scope is a word"))
			continue
		}
		c.Scopes = append(c.Scopes, item.Text)
	}
	r.out.Callers = append(r.out.Callers, c)
}
