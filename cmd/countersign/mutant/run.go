package mutant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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
// a failure says nothing, and that is an error. The end of ctx is one too; the report then has what is known.
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
	if ctx.Err() != nil {
		return Mutant{Rule: b.text, Verdict: NotJudged, Note: errInterrupted.Error()}
	}
	for _, binary := range r.binaries {
		if !binary.seen[seen.Site] {
			continue
		}
		o := binary.run(ctx, r.cfg, mutantVariable+"="+b.variable(seen))
		switch {
		case o.err != nil:
			m.Verdict, m.Note = NotJudged, o.err.Error()
		case !o.passed && r.flaky(ctx, binary, seen, b, o.failed):
			m.Verdict, m.Note = NotJudged, o.failed+" of "+binary.importPath+" failed once and passed when it was run again: it is flaky, and its failing says nothing"
		case !o.passed:
			return Mutant{Rule: b.text, Verdict: Killed, By: strings.TrimSpace(binary.importPath + " " + o.failed), Note: o.note}
		}
	}
	return m
}

// flaky says whether a test that killed a mutant passes with the same mutant, alone and among the others: then it was not the mutant that it failed for.
func (r *runner) flaky(ctx context.Context, binary *binary, seen sighting, b breed, failed string) bool {
	if failed == "" {
		return false // it hung, or the program broke down
	}
	alone := r.cfg
	alone.Run = "^" + regexp.QuoteMeta(failed) + "$"
	for _, cfg := range []Config{alone, r.cfg} {
		if o := binary.run(ctx, cfg, mutantVariable+"="+b.variable(seen)); !o.passed {
			return false
		}
	}
	return true
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
