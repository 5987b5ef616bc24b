// Command mutate shows that the tests hold the verifier to every clause that it keeps: it switches off each check in turn, and the tests
// must go red. It ends with status 1 when a check can be switched off unnoticed, and when an edit no longer fits the source.
//
//	GOWORK=off go -C tools/mutate run .
//
// The tree is not touched. All edits are compiled at once, through the -overlay of go test, each behind a question to the environment; so the tests
// are built once, and run once for each mutant, up to their first failure.
//
// It is no mutation tester for any Go program: the table of checks is written by hand, one line for each clause, and starts in table_jose.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	code, err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "mutate:", err)
	}
	os.Exit(code)
}

// run is the program: 0 when all mutants are killed, 1 when not, 2 when it was called wrongly.
func run(ctx context.Context, args []string, out io.Writer) (int, error) {
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	only := flags.String("run", "", "only the mutants whose name matches the `regexp`")
	parallel := flags.Int("p", runtime.NumCPU(), "`number` of mutants at a time")
	list := flags.Bool("list", false, "print the table of checks and run nothing")
	if err := flags.Parse(args); err != nil {
		return 2, err
	}
	pattern, err := regexp.Compile(*only)
	if err != nil || *parallel < 1 || flags.NArg() > 0 {
		return 2, errors.Join(err, errors.New("usage: mutate [-run regexp] [-p number] [-list]"))
	}
	chosen := choose(table(), pattern)
	if *list {
		return 0, printTable(out, chosen)
	}
	root, err := findRoot()
	if err != nil {
		return 2, err
	}
	s := suite{root: root, module: module, packages: testPackages}
	return s.judge(ctx, table(), chosen, *parallel, out)
}

// module is the library, and testPackages are those whose tests must notice, the one with the checks first.
const module = "github.com/countersign-dev/countersign"

var testPackages = []string{"internal/jose", ".", "countersigntest"}

func choose(all []mutation, pattern *regexp.Regexp) []mutation {
	var chosen []mutation
	for _, m := range all {
		if pattern.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// findRoot is the directory of the library, in or above the current one.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(data), "module "+module+"\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the library is not here: run it in the repository")
		}
		dir = parent
	}
}
