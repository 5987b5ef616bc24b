package mutant

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

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
			return fmt.Errorf("mutant: the tests of %s fail without any mutant, so that their failing says nothing; fix them first%s",
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
