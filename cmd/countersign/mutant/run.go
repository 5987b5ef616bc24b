package mutant

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says whose rules are to be knocked out, and how long their tests may take.
type Config struct {
	Dir      string        // in which go is run
	Packages []string      // patterns, as go test takes them
	Run      string        // only tests that match, as go test -run; empty is all
	Timeout  time.Duration // of one run of one package's tests
	Parallel int           // how many packages are tested at once, at most

	Progress func(done, all int) // called after each mutant, if it is not nil
}

// ErrNoRules is the error when there is nothing to knock out.
var ErrNoRules = errors.New(`mutant: there are no rules in these packages; mutate looks for calls such as ` +
	`api.HandleFunc(pattern, handler, countersign.Scope("name"))`)

// Run finds the rules of the packages and runs their tests with each of its mutants. The tests have to pass without any: otherwise
// a failure says nothing, and that is an error.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if cfg.Timeout <= 0 || cfg.Parallel <= 0 {
		return Report{}, errors.New("mutant: the timeout and the number of packages at once have to be positive")
	}
	l, err := load(ctx, cfg.Dir, cfg.Packages)
	if err != nil {
		return Report{}, err
	}
	sites, err := l.sites()
	if err != nil {
		return Report{}, err
	}
	if len(sites) == 0 {
		return Report{}, ErrNoRules
	}
	dir, err := os.MkdirTemp("", "countersign-mutate-")
	if err != nil {
		return Report{}, fmt.Errorf("mutant: %w", err)
	}
	defer os.RemoveAll(dir)
	r := &runner{cfg: cfg, dir: dir, loader: l, sites: sites, broken: map[int]string{}}
	if err := r.prepare(ctx); err != nil {
		return Report{}, err
	}
	return r.judgeAll(ctx)
}

// sites finds the rules of the packages that were asked for, in the order of their files.
func (l *loader) sites() ([]site, error) {
	var all []site
	for _, path := range sortedKeys(l.packages) {
		p := l.packages[path]
		if p.DepOnly || !p.knowsRules() || p.ImportPath == library {
			continue
		}
		c, err := l.check(p)
		if err != nil {
			return nil, err
		}
		lib, err := l.Import(library)
		if err != nil {
			return nil, err
		}
		all = append(all, findSites(l.set, c, lib)...)
	}
	sources := map[string][]byte{}
	for i := range all {
		s := &all[i]
		s.id = i + 1
		if sources[s.file] == nil {
			source, err := os.ReadFile(s.file)
			if err != nil {
				return nil, fmt.Errorf("mutant: %w", err)
			}
			sources[s.file] = source
		}
		s.text = strings.Join(strings.Fields(string(sources[s.file][s.start:s.end])), " ")
	}
	return all, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// runner is one run: what was built, and what was seen.
type runner struct {
	cfg      Config
	dir      string // for the overlay and the binaries
	loader   *loader
	sites    []site
	broken   map[int]string // sites that do not build in the overlay: the compiler's words
	binaries []*binary
	seen     []sighting
}

// prepare builds the tests and runs them without a mutant.
func (r *runner) prepare(ctx context.Context) error {
	overlay, err := r.weave(ctx)
	if err != nil {
		return err
	}
	packages, err := testPackages(ctx, r.cfg, r.sites)
	if err != nil {
		return err
	}
	if r.binaries, err = compile(ctx, r.cfg, r.dir, overlay, packages); err != nil {
		return err
	}
	for _, b := range r.binaries {
		o := b.run(ctx, r.cfg, logVariable+"="+b.notes)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !o.passed {
			return fmt.Errorf("mutant: the tests of %s fail without any mutant, so that their failing says nothing; mend them first%s",
				b.importPath, said(o))
		}
		seen, err := b.readNotes()
		if err != nil {
			return err
		}
		for _, s := range seen {
			if !slices.ContainsFunc(r.seen, func(other sighting) bool { return other.Site == s.Site && other.Rule == s.Rule }) {
				r.seen = append(r.seen, s)
			}
		}
	}
	return nil
}

func said(o outcome) string {
	switch {
	case o.err != nil:
		return ": " + o.err.Error()
	case o.output == "":
		return ": " + o.note
	}
	return ":\n" + o.output
}

// weave writes the overlay. Where a package does not build with it, each of its sites is tried alone, and those that fail are left out.
func (r *runner) weave(ctx context.Context) (string, error) {
	byPackage := map[string][]site{}
	for _, s := range r.sites {
		byPackage[s.pkg] = append(byPackage[s.pkg], s)
	}
	var good []site
	for _, path := range sortedKeys(byPackage) {
		sites := byPackage[path]
		if r.builds(ctx, sites) == nil {
			good = append(good, sites...)
			continue
		}
		// If it does not build as it is, that is the user's to mend.
		if _, err := goTool(ctx, r.cfg.Dir, "build", "-o", os.DevNull, path); err != nil {
			return "", err
		}
		for _, s := range sites {
			if err := r.builds(ctx, []site{s}); err != nil {
				r.broken[s.id] = err.Error()
			} else {
				good = append(good, s)
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return weave(r.dir, r.loader.checked, good)
}

// builds says why the package does not build with these sites in the overlay.
func (r *runner) builds(ctx context.Context, sites []site) error {
	overlay, err := weave(r.dir, r.loader.checked, sites)
	if err != nil {
		return err
	}
	_, err = goTool(ctx, r.cfg.Dir, "build", "-overlay", overlay, "-o", os.DevNull, sites[0].pkg)
	return err
}

// testPackage is what go list -test says of the tests of a package.
type testPackage struct {
	Dir, ImportPath, ForTest string
	Deps                     []string
}

// testPackages lists the packages of the patterns whose tests can reach one of the sites.
func testPackages(ctx context.Context, cfg Config, sites []site) ([]testPackage, error) {
	args := append([]string{"list", "-test", "-json=Dir,ImportPath,ForTest,Deps", "--"}, cfg.Packages...)
	out, err := goTool(ctx, cfg.Dir, args...)
	if err != nil {
		return nil, err
	}
	var all []testPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p testPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("mutant: go list: %w", err)
		}
		path, isTest := strings.CutSuffix(p.ImportPath, ".test")
		reaches := func(dep string) bool {
			dep, _, _ = strings.Cut(dep, " ") // "example.com/a [example.com/a.test]"
			return slices.ContainsFunc(sites, func(s site) bool { return s.pkg == dep })
		}
		if isTest && slices.ContainsFunc(p.Deps, reaches) {
			p.ImportPath = path
			all = append(all, p)
		}
	}
}

// judgeAll runs the tests for each mutant.
func (r *runner) judgeAll(ctx context.Context) (Report, error) {
	type job struct {
		rule, mutant int
		seen         sighting
		breed        breed
	}
	var report Report
	var jobs []job
	for _, s := range r.sites {
		rules, sightings := r.rulesOf(s)
		for i, rule := range rules {
			for _, b := range sightings[i].breeds() {
				jobs = append(jobs, job{len(report.Rules), len(rule.Mutants), sightings[i], b})
				rule.Mutants = append(rule.Mutants, Mutant{Rule: b.text})
			}
			report.Rules = append(report.Rules, rule)
		}
	}
	queue := make(chan job)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range r.cfg.Parallel {
		wg.Go(func() {
			for j := range queue {
				verdict := r.judge(ctx, j.seen, j.breed)
				mu.Lock()
				report.Rules[j.rule].Mutants[j.mutant] = verdict
				if done++; r.cfg.Progress != nil {
					r.cfg.Progress(done, len(jobs))
				}
				mu.Unlock()
			}
		})
	}
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	wg.Wait()
	for i := range report.Rules {
		if rule := &report.Rules[i]; len(rule.Mutants) > 0 {
			rule.settle()
		}
	}
	return report, ctx.Err()
}

// rulesOf is what is known of a site before its mutants run: one rule, or several if the code gives it a different one each time.
func (r *runner) rulesOf(s site) (rules []Rule, sightings []sighting) {
	rule := Rule{Pattern: s.pattern, File: relative(r.cfg.Dir, s.file), Line: s.line, Rule: s.text, Mutants: []Mutant{}}
	if note, broken := r.broken[s.id]; broken {
		rule.State, rule.Note = Unknown, "the package does not build with it: "+note
		return []Rule{rule}, []sighting{{}}
	}
	for _, seen := range r.seen {
		if seen.Site != s.id {
			continue
		}
		one := rule
		one.Rule, one.State = seen.Rule, Public
		one.Note = "left alone: nothing is wider"
		rules, sightings = append(rules, one), append(sightings, seen)
	}
	if len(rules) == 0 {
		rule.State, rule.Note = Untested, "no test gives this rule to a route"
		return []Rule{rule}, []sighting{{}}
	}
	return rules, sightings
}

// judge runs the tests that reach the site, until one fails.
func (r *runner) judge(ctx context.Context, seen sighting, b breed) Mutant {
	m := Mutant{Rule: b.text, Verdict: Survived}
	for _, binary := range r.binaries {
		if !binary.seen[seen.Site] {
			continue
		}
		o := binary.run(ctx, r.cfg, mutantVariable+"="+b.variable(seen))
		switch {
		case o.err != nil:
			m.Verdict, m.Note = NotJudged, o.err.Error()
		case !o.passed:
			return Mutant{Rule: b.text, Verdict: Killed, By: strings.TrimSpace(binary.importPath + " " + o.failed), Note: o.note}
		}
	}
	return m
}

// relative is the path as people look for it from the directory.
func relative(dir, file string) string {
	absolute, err := filepath.Abs(cmp.Or(dir, "."))
	if err != nil {
		return file
	}
	if rel, err := filepath.Rel(absolute, file); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return file
}
