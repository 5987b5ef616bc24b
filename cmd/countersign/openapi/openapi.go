package openapi

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/document"
	"github.com/countersign-dev/countersign/prove"
)

// Config says which of a document's servers is meant. The zero value means the first.
type Config struct {
	// Target is the URL of the service that will be asked. The server of the document with the same host is meant, if there is one;
	// operations that only another host serves are not judged. Nil knows no host.
	Target *url.URL
	// Server is the URL of one of the document's servers, as the document writes it or with its variables replaced. It goes before
	// Target.
	Server string
}

// Document is what was read.
type Document struct {
	// Base is the path of the server, which stands in front of every path; empty or as "/v1".
	Base string
	// Hosts are those of all servers that name one.
	Hosts      []string
	Operations []Operation
	// Notes are what a reader of the document should know, and no reason to refuse it.
	Notes []Note
}

// Operation is one operation of the document.
type Operation struct {
	Route    countersign.Route
	Template string // the path as the document writes it, behind the server's
	Place    document.Place
	Example  prove.Example // none of its values is escaped
	// NotJudged is why nothing can be said about the operation; empty if it can be proved. Its Route then has no rule, and may have
	// no pattern.
	NotJudged string
}

// Name is the operation as people say it: "GET /orders/{id}".
func (o Operation) Name() string { return o.Route.Method + " " + o.Template }

// Note is a remark about a place of the document.
type Note struct {
	Place document.Place
	Text  string
}

// String is the note as compilers print it.
func (n Note) String() string { return n.Place.String() + ": " + n.Text }

// Policy returns the routes of the operations that can be judged. Scopes are what the document says, in full: the profile is
// RFC 9068's, whose scopes have no prefix.
func (d *Document) Policy() countersign.Policy {
	p := countersign.Policy{Profile: countersign.RFC9068}
	for _, op := range d.Operations {
		if op.NotJudged == "" {
			p.Routes = append(p.Routes, op.Route)
		}
	}
	return p
}

// Examples returns the examples of the operations that can be judged, by pattern.
func (d *Document) Examples() map[string]prove.Example {
	all := map[string]prove.Example{}
	for _, op := range d.Operations {
		if op.NotJudged == "" {
			all[op.Route.Pattern] = op.Example
		}
	}
	return all
}

// Read reads a document. Name is the file's as people call it, for the places of errors. Files are those beside it, by their path from
// the document's directory; nil is none. A root ([os.Root]) keeps references inside, symbolic links included: a document of somebody
// else must not read the files of its reader.
func Read(name string, data []byte, files fs.FS, cfg Config) (*Document, error) {
	root, err := document.Parse(name, data)
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	r := newReader(cfg, newLibrary(name, root, files))
	r.document(root)
	if err := errors.Join(r.problems...); err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	return &r.out, nil
}

// readBounded reads one byte more than is allowed: the parser says that it is too much.
func readBounded(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, document.MaxSize+1))
}

// readRegular reads a regular file: to open a pipe would wait for somebody to write to it.
func readRegular(files fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readBounded(f)
}
