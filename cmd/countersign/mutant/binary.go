package mutant

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// binary is the compiled tests of one package.
type binary struct {
	path       string // of the file
	importPath string
	dir        string // of the package, in which its tests run

	mu    sync.Mutex   // tests of one package are not made to run beside themselves: they share ports and files
	seen  map[int]bool // sites that its tests reach
	notes string       // path of the file in which the helper notes them
}

// grace is how much longer than its own timeout a test may take until it is ended from outside.
const grace = 10 * time.Second

var errInterrupted = errors.New("interrupted")

// outcome is how a run of tests ended.
type outcome struct {
	passed bool
	failed string // the first test that failed
	note   string // how it ended, if no test failed
	output string // the end of it
	err    error  // it could not be run
}

// run runs the tests with the extra environment.
func (b *binary) run(ctx context.Context, cfg Config, env ...string) outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout+grace)
	defer cancel()
	args := []string{"-test.failfast", "-test.paniconexit0", "-test.count=1", "-test.timeout=" + cfg.Timeout.String()}
	if cfg.Run != "" {
		args = append(args, "-test.run="+cfg.Run)
	}
	cmd := exec.CommandContext(ctx, b.path, args...)
	cmd.Dir = b.dir
	cmd.Env = append(append(cleanEnv(), "PWD="+b.dir), env...)
	cmd.WaitDelay = 5 * time.Second
	var output reader
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case whole.Err() != nil:
		return outcome{err: errInterrupted}
	case ctx.Err() != nil:
		return outcome{err: fmt.Errorf("the tests did not end in %s", cfg.Timeout+grace)}
	case err == nil:
		return outcome{passed: true}
	case !errors.As(err, &exit):
		return outcome{err: err}
	case !exit.Exited():
		// No test said anything: the machine was short of memory, or somebody pressed Ctrl-C, which the tests' process is told of first.
		return outcome{err: fmt.Errorf("the tests were ended from outside: %w", exit)}
	}
	o := outcome{failed: output.failed, output: output.tail()}
	switch {
	case output.timedOut:
		o.note = "the tests did not end in " + cfg.Timeout.String()
	case o.failed == "":
		o.note = exit.Error()
	}
	return o
}

// reader reads the output of tests as it comes, and keeps only its end.
type reader struct {
	partial  []byte
	kept     bytes.Buffer
	failed   string
	timedOut bool
}

func (r *reader) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if r.partial = append(r.partial, line...); len(r.partial) < maxTail && !bytes.HasSuffix(line, []byte("\n")) {
			continue
		}
		r.line(string(r.partial))
		r.partial = r.partial[:0]
	}
	return len(p), nil
}

func (r *reader) line(line string) {
	if rest, found := strings.CutPrefix(line, "--- FAIL: "); found && r.failed == "" {
		r.failed, _, _ = strings.Cut(strings.TrimSpace(rest), " ")
	}
	r.timedOut = r.timedOut || strings.HasPrefix(line, "panic: test timed out after ")
	r.kept.WriteString(line)
	if r.kept.Len() > 4*maxTail {
		r.kept.Next(r.kept.Len() - maxTail)
	}
}

func (r *reader) tail() string { return tail(r.kept.String() + string(r.partial)) }

// compile builds the tests of the packages with the overlay, and leaves out those that have none.
func compile(ctx context.Context, cfg Config, dir, overlay string, packages []testPackage) ([]*binary, error) {
	var all []*binary
	for i, p := range packages {
		b := &binary{
			path: filepath.Join(dir, strconv.Itoa(i)+".test"), importPath: p.ImportPath, dir: p.Dir,
			notes: filepath.Join(dir, strconv.Itoa(i)+".notes"), seen: map[int]bool{},
		}
		args := append([]string{"test", "-c", "-overlay", overlay, "-o", b.path}, p.ImportPath)
		if _, err := goTool(ctx, cfg.Dir, args...); err != nil {
			return nil, err
		}
		if _, err := os.Stat(b.path); err == nil {
			all = append(all, b)
		}
	}
	return all, nil
}

// readNotes reads what the helper noted during a run, in the order of its first sight.
func (b *binary) readNotes() ([]sighting, error) {
	file, err := os.Open(b.notes)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("mutant: %w", err)
	}
	defer file.Close()
	var all []sighting
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s sighting
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return nil, fmt.Errorf("mutant: the notes of %s: %w", b.importPath, err)
		}
		b.seen[s.Site] = true
		all = append(all, s)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("mutant: the notes of %s: %w", b.importPath, err)
	}
	return all, nil
}
