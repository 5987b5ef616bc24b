package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/escape"
)

// Formats are the forms in which a report can be written, by name.
var Formats = []string{"json", "junit", "sarif", "github", "markdown", "html"}

// Write writes the report in one of [Formats].
func (r Report) Write(w io.Writer, format string) error {
	switch format {
	case "json":
		return r.json(w)
	case "junit":
		return r.junit(w)
	case "sarif":
		return r.sarif(w)
	case "github":
		return r.github(w)
	case "markdown":
		return r.markdown(w)
	case "html":
		return r.html(w)
	}
	return fmt.Errorf("report: there is no format %s; there are %s", escape.Visible(format), strings.Join(Formats, ", "))
}

// CheckFile says why no report could be written to the path, before the time of a whole run is spent on it.
func CheckFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if info, err = os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
			return fmt.Errorf("report: %s: there is no directory %s; make it first", escape.Visible(path), escape.Visible(filepath.Dir(path)))
		}
		return nil
	case err != nil:
		return fmt.Errorf("report: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("report: %s is no file; write - for the standard output", escape.Visible(path))
	}
	return nil
}

// WriteFile writes the report to a file that everybody may read. Whoever reads it meanwhile sees the old file or the new one, and never a
// part of one; if writing fails, the old one stays.
func (r Report) WriteFile(path, format string) (err error) {
	if err := CheckFile(path); err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // the file that a link points to is replaced, not the link
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("report: %w", err)
		}
	}()
	if err := r.Write(f, format); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
