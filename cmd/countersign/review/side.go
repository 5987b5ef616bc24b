package review

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/escape"
	"github.com/countersign-dev/countersign/cmd/countersign/place"
)

// maxDocument bounds what is read of a policy file. It is what [countersign.ParsePolicy] takes.
const maxDocument = 16 << 20

// Side is one of the two policies that are compared.
type Side struct {
	Name     string // as people find it: "testdata/authorization.json", "main:testdata/authorization.json"
	Path     string // of the policy file, with slashes, relative to the repository as far as that is known
	Document []byte // nil if there is no such file
	Policy   countersign.Policy

	// goFiles lists the Go files of the same tree, by path, so that registrations can be found in them.
	goFiles func() []string
	read    func(path string) ([]byte, error) // reads one of them
}

// Missing reports whether there is no policy file on this side. Its policy then has no routes.
func (s Side) Missing() bool { return s.Document == nil }

// ReadFile reads the policy file at path. If there is none, the side is a missing one.
func ReadFile(path string) (Side, error) {
	s := Side{Name: path, Path: filepath.ToSlash(filepath.Clean(path)), goFiles: place.GoFilesHere, read: readSource}
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("review: %w", err)
	}
	defer f.Close()
	document, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err != nil {
		return s, fmt.Errorf("review: %w", err)
	}
	return s.parse(document)
}

// parse takes the document in. An empty file is a broken policy, and not one without routes.
func (s Side) parse(document []byte) (Side, error) {
	if len(document) > maxDocument {
		return s, fmt.Errorf("review: %s is larger than %d MiB, which no policy file is", escape.Visible(s.Name), maxDocument>>20)
	}
	policy, err := countersign.ParsePolicy(document)
	if err != nil {
		return s, fmt.Errorf("review: %s: %w", escape.Visible(s.Name), err)
	}
	s.Document, s.Policy = append([]byte{}, document...), policy
	return s, nil
}

// readSource reads a Go file, and of one that is too large the beginning, which does not parse.
func readSource(path string) ([]byte, error) {
	f, err := os.Open(filepath.FromSlash(path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSource))
}
