package review

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/countersign-dev/countersign/cmd/countersign/escape"
	"github.com/countersign-dev/countersign/cmd/countersign/place"
)

// maxRevision bounds the name of a revision.
const maxRevision = 1024

// maxListing bounds what git may list of a tree: some hundred thousand names.
const maxListing = 32 << 20

// Repository reads policy files from the revisions of a git repository, through the user's own git.
type Repository struct {
	dir    string
	prefix string // of dir within the repository, with a slash at its end, or empty
}

// OpenRepository finds the repository that the directory belongs to.
func OpenRepository(ctx context.Context, dir string) (*Repository, error) {
	r := &Repository{dir: dir}
	prefix, err := r.git(ctx, 1<<16, "rev-parse", "--show-prefix")
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("review: there is no git here; install it, or compare two files")
	}
	if err != nil {
		return nil, fmt.Errorf("review: %w", err)
	}
	r.prefix = strings.TrimSuffix(string(prefix), "\n")
	return r, nil
}

// Read reads the policy file at a revision. The path of the file is relative to the directory of the repository that was opened. If
// the revision has no such file, the side is a missing one; if there is no such revision, that is an error.
func (r *Repository) Read(ctx context.Context, revision, file string) (Side, error) {
	at, err := r.inRepository(file)
	if err != nil {
		return Side{}, err
	}
	commit, err := r.commit(ctx, revision)
	if err != nil {
		return Side{}, err
	}
	s := Side{
		Name: revision + ":" + at, Path: at,
		goFiles: func() []string { return r.goFiles(ctx, commit) },
		read:    func(path string) ([]byte, error) { return r.git(ctx, maxSource, "cat-file", "blob", commit+":"+path) },
	}
	object, err := r.blob(ctx, commit, at)
	if err != nil {
		return s, fmt.Errorf("review: %s: %w", escape.Visible(s.Name), err)
	}
	if object == "" {
		return s, nil
	}
	document, err := r.git(ctx, maxDocument+1, "cat-file", "blob", object)
	if err != nil {
		return s, fmt.Errorf("review: %s: %w", escape.Visible(s.Name), err)
	}
	return s.parse(document)
}

// ReadWorkTree reads the policy file as it is in the directory now. The path is as in [Repository.Read].
func (r *Repository) ReadWorkTree(file string) (Side, error) {
	at, err := r.inRepository(file)
	if err != nil {
		return Side{}, err
	}
	s, err := ReadFile(filepath.Join(r.dir, filepath.FromSlash(file)))
	s.Path = at
	s.goFiles = func() []string {
		files := place.GoFilesHere()
		for i := range files {
			files[i] = r.prefix + files[i]
		}
		return files
	}
	s.read = func(path string) ([]byte, error) { return readSource(strings.TrimPrefix(path, r.prefix)) }
	return s, err
}

// MergeBase is the commit at which head left base: what has been done on base since is no work of head.
func (r *Repository) MergeBase(ctx context.Context, base, head string) (string, error) {
	var commits [2]string
	for i, name := range []string{base, head} {
		var err error
		if commits[i], err = r.commit(ctx, name); err != nil {
			return "", err
		}
	}
	out, err := r.git(ctx, 1<<10, "merge-base", commits[0], commits[1])
	if err != nil {
		return "", fmt.Errorf("review: git finds no common ancestor of %s and %s; a shallow clone has none: fetch more of the history", escape.Visible(base), escape.Visible(head))
	}
	return strings.TrimSpace(string(out)), nil
}

// commit resolves a revision once. Everything after it works with the object's name, in which nothing can hide.
func (r *Repository) commit(ctx context.Context, revision string) (string, error) {
	if problem := checkRevision(revision); problem != "" {
		return "", fmt.Errorf("review: %s is no revision: %s", escape.Visible(revision), problem)
	}
	out, err := r.git(ctx, 1<<10, "rev-parse", "--verify", "--quiet", revision+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("review: git knows no revision %s here; fetch it first (a checkout in CI is often shallow: "+
			"fetch-depth: 0 in GitHub Actions, GIT_DEPTH: \"0\" in GitLab)", escape.Visible(revision))
	}
	return strings.TrimSpace(string(out)), nil
}

// checkRevision refuses what git would take for something else. A pull request chooses the names of its branches, and a job
// that passes one on must not pass an option: "--output=…" would write a file.
func checkRevision(revision string) string {
	switch {
	case revision == "":
		return "it is empty"
	case len(revision) > maxRevision:
		return "it is too long"
	case strings.HasPrefix(revision, "-"):
		return "it begins with a hyphen"
	case strings.ContainsFunc(revision, unicode.IsControl):
		return "it has a control character"
	}
	return ""
}

// inRepository is the path of the file from the root of the repository.
func (r *Repository) inRepository(file string) (string, error) {
	at := path.Join(r.prefix, filepath.ToSlash(file))
	if file == "" || filepath.IsAbs(file) || at == "." || at == ".." || strings.HasPrefix(at, "../") || strings.ContainsRune(at, 0) {
		return "", fmt.Errorf("review: %s is no path in this repository; write it relative to the directory you are in, such as testdata/authorization.json", escape.Visible(file))
	}
	return at, nil
}

// blob is the name of the file's object, or empty if the commit has no such file.
func (r *Repository) blob(ctx context.Context, commit, at string) (string, error) {
	out, err := r.git(ctx, 1<<16, "ls-tree", "-z", "--full-tree", commit, "--", at)
	if err != nil || len(out) == 0 {
		return "", err
	}
	entry, _, _ := strings.Cut(string(out), "\t")
	fields := strings.Fields(entry)
	if len(fields) != 3 || fields[1] != "blob" {
		return "", errors.New("it is a directory")
	}
	if fields[0] == "120000" {
		return "", errors.New("it is a symbolic link; name the file that it points to")
	}
	return fields[2], nil
}

func (r *Repository) goFiles(ctx context.Context, commit string) []string {
	out, err := r.git(ctx, maxListing, "ls-tree", "-r", "-z", "--full-tree", "--name-only", commit)
	if err != nil {
		return nil // then a change is shown in the policy file
	}
	var files []string
	for name := range strings.SplitSeq(string(out), "\x00") {
		if place.IsServiceCode(name) {
			files = append(files, name)
		}
	}
	return files
}

// git runs the user's git without anything that asks a person, and reads at most limit bytes of what it says.
func (r *Repository) git(ctx context.Context, limit int64, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", append([]string{"--no-pager"}, args...)...)
	cmd.Dir = r.dir
	// A path is a path: no "*" and no ":(top)" in it means more.
	cmd.Env = append(os.Environ(), "GIT_LITERAL_PATHSPECS=1", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0")
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &boundedWriter{w: &stderr, left: 4 << 10}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	out, readErr := io.ReadAll(io.LimitReader(stdout, limit))
	cancelled := int64(len(out)) == limit
	if cancelled {
		cancel() // there is more than anyone may send: do not wait for it
	}
	if err := cmd.Wait(); err != nil && !cancelled {
		return nil, fmt.Errorf("git %s: %s", args[0], said(stderr.String(), err))
	}
	return out, readErr
}

// said is the first line of what git wrote, or the error if it wrote nothing.
func said(stderr string, err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	if line == "" {
		return err.Error()
	}
	return escape.Visible(line)
}

// boundedWriter keeps the beginning.
type boundedWriter struct {
	w    io.Writer
	left int
}

func (b *boundedWriter) Write(p []byte) (int, error) {
	keep := p[:min(len(p), b.left)]
	b.left -= len(keep)
	if _, err := b.w.Write(keep); err != nil {
		return 0, err
	}
	return len(p), nil
}
