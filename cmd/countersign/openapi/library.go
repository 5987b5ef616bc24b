package openapi

import (
	"errors"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// The bounds of references.
const (
	maxFiles     = 10_000
	maxFileBytes = 64 << 20    // of all files together
	maxChain     = 32          // references to references
	maxSteps     = 500_000_000 // members passed on the way
)

// library has the files of a document. A place names its file as people call it, from where they stand; the library knows it by
// its path from the document's directory.
type library struct {
	files fs.FS             // nil: the document has no files beside it
	dir   string            // of the document, as people call it
	paths map[string]string // people's name -> path in files
	roots map[string]*document.Node
	start document.Place
	found map[string]*document.Node // by file and pointer
	bytes int
	steps int
}

func newLibrary(name string, root *document.Node, files fs.FS) *library {
	return &library{
		files: files, dir: filepath.Dir(name), start: root.Place, found: map[string]*document.Node{},
		paths: map[string]string{name: filepath.Base(name)},
		roots: map[string]*document.Node{filepath.Base(name): root},
	}
}

// follow returns what a value stands for: what its $ref points to, or else the value itself.
//
// OpenAPI 3.1.0, Section 4.8.23: a Reference Object "cannot be extended with additional properties and any properties added SHALL be
// ignored".
func (l *library) follow(n *document.Node) (*document.Node, error) {
	first := n
	for range maxChain {
		ref := n.Get("$ref")
		if ref == nil || ref.Kind != document.String {
			return n, nil
		}
		target, err := l.find(ref)
		if err != nil {
			return nil, err
		}
		n = target
	}
	return nil, first.Place.Errorf("$ref leads through more than %d others, or in a circle", maxChain)
}

// find looks up one reference: a file that may be left out, and a JSON pointer (RFC 6901) in it.
func (l *library) find(ref *document.Node) (*document.Node, error) {
	u, err := url.Parse(ref.Text)
	if err != nil {
		return nil, ref.Place.Errorf("$ref %s is no reference; write one such as #/components/schemas/Order", document.Quote(ref.Text))
	}
	if u.Scheme != "" || u.Host != "" || u.RawQuery != "" {
		return nil, ref.Place.Errorf("$ref %s leads elsewhere, and nothing is fetched; save that file next to this one and write its name", document.Quote(ref.Text))
	}
	here, known := l.paths[ref.Place.File]
	if !known {
		return nil, ref.Place.Errorf("$ref stands in a file that is not known")
	}
	if path.IsAbs(u.Path) {
		return nil, ref.Place.Errorf("$ref %s leads out of the directory of the document; write it from where this file lies", document.Quote(ref.Text))
	}
	if u.Path != "" {
		here = path.Join(path.Dir(here), u.Path)
	}
	root, err := l.open(here, ref)
	if err != nil {
		return nil, err
	}
	key := here + "#" + u.Fragment
	if n := l.found[key]; n != nil {
		return n, nil
	}
	n, err := l.pointer(root, u.Fragment, ref)
	if err == nil {
		l.found[key] = n
	}
	return n, err
}

// open reads a file once.
func (l *library) open(name string, ref *document.Node) (*document.Node, error) {
	if root := l.roots[name]; root != nil {
		return root, nil
	}
	if !fs.ValidPath(name) {
		return nil, ref.Place.Errorf("$ref %s leads out of the directory of the document; keep its files there, or bundle them into one", document.Quote(ref.Text))
	}
	if l.files == nil {
		return nil, ref.Place.Errorf("$ref %s leads to another file, and this document came without one; bundle them into one", document.Quote(ref.Text))
	}
	if len(l.roots) >= maxFiles {
		return nil, ref.Place.Errorf("more than %d files", maxFiles)
	}
	data, err := readRegular(l.files, name)
	if err != nil {
		var with *fs.PathError
		if errors.As(err, &with) {
			err = with.Err
		}
		return nil, ref.Place.Errorf("$ref: the file %s cannot be read: %v", document.Quote(name), err)
	}
	if l.bytes += len(data); l.bytes > maxFileBytes {
		return nil, ref.Place.Errorf("the files have more than %d MiB", maxFileBytes>>20)
	}
	people := filepath.Join(l.dir, filepath.FromSlash(name))
	root, err := document.Parse(people, data)
	if err != nil {
		return nil, err
	}
	l.paths[people], l.roots[name] = name, root
	return root, nil
}

// pointer walks from the root of a file.
func (l *library) pointer(n *document.Node, fragment string, ref *document.Node) (*document.Node, error) {
	missing := func(step string) error {
		return ref.Place.Errorf("$ref %s leads nowhere: there is no %s", document.Quote(ref.Text), document.Quote(step))
	}
	if fragment == "" {
		return n, nil
	}
	if !strings.HasPrefix(fragment, "/") {
		return nil, ref.Place.Errorf("$ref %s is an anchor, which is not looked up; write a pointer such as #/components/schemas/Order", document.Quote(ref.Text))
	}
	for step := range strings.SplitSeq(fragment[1:], "/") {
		// RFC 6901, Section 4: first ~1, then ~0.
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		if l.steps += len(n.Members); l.steps > maxSteps {
			return nil, ref.Place.Errorf("there are too many references into large objects; split the document")
		}
		child := n.Get(step)
		if i, err := strconv.Atoi(step); err == nil && n.Kind == document.Array && i >= 0 && i < len(n.Items) {
			child = n.Items[i]
		}
		if child == nil {
			return nil, missing(step)
		}
		n = child
	}
	return n, nil
}

// follow is the library's, with a problem for a reference that leads nowhere, and nil then.
func (r *reader) follow(n *document.Node) *document.Node {
	if n == nil {
		return nil
	}
	target, err := r.library.follow(n)
	if err != nil {
		r.fail(err)
		return nil
	}
	return target
}
