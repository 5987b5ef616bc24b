package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// suite is the tests of a module that are to notice.
type suite struct {
	root     string
	module   string
	packages []string // directories, in the order in which they are asked

	tests map[string]*binary // by directory
}

// binary is the compiled tests of one package.
type binary struct {
	file        string
	quick, slow []string // the names of its tests; most mutants die in the quick ones
	timeout     time.Duration
}

// verdict is what became of one mutant.
type verdict struct {
	killed bool
	by     string // the package and its first test that failed
	took   time.Duration
}

// leastTimeout is for a machine that has other things to do.
const leastTimeout = time.Minute

// judge compiles the tests with all edits, asks for each chosen mutant whether they go red, and prints a table. The first result is
// the program's exit status.
func (s *suite) judge(ctx context.Context, all, chosen []mutation, parallel int, out io.Writer) (int, error) {
	start := time.Now()
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return 2, err
	}
	defer os.RemoveAll(dir)
	if err := s.build(ctx, dir, all); err != nil {
		return 1, err
	}
	for _, p := range s.packages {
		if err := s.measure(ctx, p); err != nil {
			return 1, err
		}
	}
	fmt.Fprintf(out, "%d checks, switched off one by one; the tests were built in %v\n\n", len(chosen), time.Since(start).Round(time.Second))
	r := &report{out: out}
	turn := make(chan mutation)
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for m := range turn {
				if v := s.try(ctx, &m); ctx.Err() == nil {
					r.add(m, v)
				}
			}
		})
	}
	for _, m := range chosen {
		turn <- m
	}
	close(turn)
	wg.Wait()
	if ctx.Err() != nil {
		return 1, errors.New("interrupted")
	}
	survivors := r.end()
	fmt.Fprintf(out, "\n%d mutants, %d killed, %d survived, in %v\n", len(chosen), len(chosen)-survivors, survivors, time.Since(start).Round(time.Second))
	if survivors > 0 {
		return 1, errors.New("a check can be switched off and no test notices: write the test that does")
	}
	return 0, nil
}

// build compiles the tests of every package.
func (s *suite) build(ctx context.Context, dir string, all []mutation) error {
	overlay, err := writeOverlay(s.root, dir, all)
	if err != nil {
		return fmt.Errorf("an edit no longer fits the source; correct the table:\n%w", err)
	}
	s.tests = map[string]*binary{}
	for _, p := range s.packages {
		file := filepath.Join(dir, strings.NewReplacer("/", "_", ".", "root").Replace(p)+".test")
		cmd := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlay, "-o", file, "./"+p)
		cmd.Dir = s.root
		cmd.Env = append(os.Environ(), "GOWORK=off")
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("the tests of %s do not compile with the edits: %w\n%s", p, err, text)
		}
		s.tests[p] = &binary{file: file, timeout: leastTimeout}
	}
	return nil
}

// measure runs the tests of a package without a mutant. The edits themselves must change nothing, or every verdict would be about them. It notes
// which tests are quick: those that together take a quarter of the time.
func (s *suite) measure(ctx context.Context, p string) error {
	b := s.tests[p]
	start := time.Now()
	b.timeout = 5 * time.Minute
	text, err := s.run(ctx, p, "", nil, "-test.v")
	if err != nil {
		return fmt.Errorf("the tests of %s are red before anything is switched off: %s", p, firstFailure(text))
	}
	took := passed(text)
	slices.SortStableFunc(took, func(a, b test) int { return cmp.Compare(a.took, b.took) })
	var whole, sum time.Duration
	for _, t := range took {
		whole += t.took
	}
	for _, t := range took {
		if sum += t.took; sum <= whole/4 {
			b.quick = append(b.quick, t.name)
		} else {
			b.slow = append(b.slow, t.name)
		}
	}
	b.timeout = max(leastTimeout, 10*time.Since(start))
	return nil
}

// try asks the packages one after the other, those of the edits first, until one notices.
func (s *suite) try(ctx context.Context, m *mutation) verdict {
	start := time.Now()
	near := m.packages()
	order := slices.Clone(s.packages)
	slices.SortStableFunc(order, func(a, b string) int {
		return slices.Index([]bool{true, false}, slices.Contains(near, a)) - slices.Index([]bool{true, false}, slices.Contains(near, b))
	})
	for _, p := range order {
		for _, tests := range [][]string{s.tests[p].quick, s.tests[p].slow} {
			if by := s.killer(ctx, p, m.name, tests); by != "" {
				return verdict{true, s.name(p) + " " + by, time.Since(start)}
			}
		}
	}
	return verdict{took: time.Since(start)}
}

// killer is the test that notices the mutant, or empty. A test that fails is asked twice again, with the mutant and without, and alone: on a
// busy machine a test may fail by its clock, and a mutant that only such a test kills lives. So does one that only makes the tests wait for ever.
func (s *suite) killer(ctx context.Context, p, mutant string, tests []string) string {
	tests = slices.Clone(tests)
	for len(tests) > 0 && ctx.Err() == nil {
		text, err := s.run(ctx, p, mutant, tests)
		if err == nil {
			return ""
		}
		name := firstFailure(text)
		again := []string{topOf(name)}
		if !slices.Contains(tests, again[0]) {
			again = tests // it ended without a test's name
		}
		if _, err := s.run(ctx, p, mutant, again); err != nil && name != noEnd {
			if _, err := s.run(ctx, p, "", again); err == nil {
				return name
			}
		}
		tests = slices.DeleteFunc(tests, func(t string) bool { return slices.Contains(again, t) })
	}
	return ""
}

// run runs tests of one package up to the first failure, all of them when none is named, with the mutant selected.
func (s *suite) run(ctx context.Context, p, mutant string, tests []string, flags ...string) (string, error) {
	b := s.tests[p]
	args := append([]string{"-test.failfast", "-test.timeout", b.timeout.String()}, flags...)
	if len(tests) > 0 {
		args = append(args, "-test.run", "^("+strings.Join(tests, "|")+")$")
	}
	cmd := exec.CommandContext(ctx, b.file, args...)
	cmd.Dir = filepath.Join(s.root, filepath.FromSlash(p))
	cmd.Env = append(os.Environ(), "GOWORK=off", mutantVariable+"="+mutant)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err := cmd.Run()
	return text.String(), err
}

func (s *suite) name(p string) string {
	if p == "." {
		return s.module[strings.LastIndexByte(s.module, '/')+1:]
	}
	return p
}
