package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
	"github.com/countersign-dev/countersign/cmd/countersign/place"
	"github.com/countersign-dev/countersign/cmd/countersign/report"
	"github.com/countersign-dev/countersign/prove"
)

// reportOptions are the flags of prove that say where to prove, and in which forms the result is written.
type reportOptions struct {
	through, direct string
	reports         []string
	format, compare string
	all             bool

	outputs []output
}

// proofFormats are the forms of the standard output of prove: the table, and those of reports.
func proofFormats() []string { return append([]string{"table"}, report.Formats...) }

// output is one --report.
type output struct{ format, file string }

func (o *reportOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.through, "through", "", "address of the service's edge: prove through it, and past it with --direct")
	flags.StringVar(&o.direct, "direct", "", "address of the service past its edge")
	flags.StringArrayVar(&o.reports, "report", nil, "write a report, as in json=FILE; a FILE of - is the standard output, instead of the table ("+strings.Join(report.Formats, ", ")+"); repeatable")
	addFormat(cmd, &o.format, proofFormats()...)
	flags.StringVar(&o.compare, "compare", "", "JSON report of an earlier run, or of another target: name every difference")
	flags.BoolVar(&o.all, "all", false, "print every case, the bad tokens too")
}

// check finds what is wrong with the arguments, all of it, before anything is sent.
func (o *reportOptions) check(cmd *cobra.Command, args []string) error {
	var problems []error
	problem := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	switch {
	case (o.through == "") != (o.direct == ""):
		problem("--through and --direct go together, as in: countersign prove --through https://edge.example.com --direct http://pod:8080")
	case o.through != "" && len(args) > 0:
		problem("prove takes one URL, or --through and --direct, and not both")
	case len(args) == 0 && (cmd.Flags().Changed("file") || cmd.Flags().Changed("env")): // the file may name it
	case o.through == "" && len(args) != 1:
		problem("prove takes one URL, as in: countersign prove http://localhost:8080 (%d given)", len(args))
	}
	problems = append(problems, checkChoice("format", o.format, proofFormats()...))
	return errors.Join(append(problems, o.readOutputs())...)
}

// readOutputs reads every --report.
func (o *reportOptions) readOutputs() error {
	var problems []error
	problem := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	o.outputs = nil
	for _, text := range o.reports {
		format, file, found := strings.Cut(text, "=")
		if !found || file == "" || !slices.Contains(report.Formats, format) {
			problem("--report %s: write it as json=FILE; there are %s", text, strings.Join(report.Formats, ", "))
			continue
		}
		if file == "-" && o.format != "table" {
			problem("--report %s: the standard output is taken already", text)
		}
		if file == "-" {
			o.format = format
			continue
		}
		if err := report.CheckFile(file); err != nil {
			problem("--report %s: %w", text, err)
		}
		if slices.ContainsFunc(o.outputs, func(other output) bool { return other.file == file }) {
			problem("--report %s: the file is another report's already", text)
		}
		o.outputs = append(o.outputs, output{format, file})
	}
	return errors.Join(problems...)
}

// run proves at each address and writes what is known, also when a run ends early.
func (o reportOptions) run(ctx context.Context, args []string, policy string, stdout, stderr io.Writer, proveAt func(url string) (prove.Report, error)) error {
	var earlier report.Report
	if o.compare != "" {
		var err error
		if earlier, err = report.ReadFile(o.compare); err != nil {
			return fmt.Errorf("--compare: %w", err)
		}
	}
	cfg := report.Config{Version: version(), At: time.Now(), Policy: policyName(policy), Places: placesOf(policy)}
	all, err := o.prove(ctx, args, cfg, proveAt)
	if len(all.Rows) == 0 && err != nil {
		return err
	}
	if o.compare != "" {
		all.Compare(earlier, o.compare)
	}
	if err := errors.Join(err, o.write(all, stdout, stderr)); err != nil {
		return err
	}
	if code := all.ExitCode(); code != 0 {
		return exitError(code)
	}
	return nil
}

func (o reportOptions) prove(ctx context.Context, args []string, cfg report.Config, proveAt func(url string) (prove.Report, error)) (report.Report, error) {
	if o.through == "" {
		found, err := proveAt(args[0])
		return report.New(cfg, found), err
	}
	through, err := proveAt(o.through)
	if err != nil {
		return report.New(cfg, through), err
	}
	if err := ctx.Err(); err != nil {
		return report.New(cfg, through), err
	}
	direct, err := proveAt(o.direct)
	return report.NewLayers(cfg, through, direct), err
}

// write writes to the standard output and to every file. That one cannot be written does not keep the others from it.
func (o reportOptions) write(all report.Report, stdout, stderr io.Writer) error {
	var problems []error
	words := stderr // what a person reads must not get into what a program parses
	if o.format == "table" {
		words = stdout
		problems = append(problems, tableFor(stdout, o.all).Write(stdout, all.Proof()))
	} else {
		problems = append(problems, all.Write(stdout, o.format))
	}
	if text := all.Layered(); text != "" {
		fmt.Fprintln(words, text)
	}
	if all.Compared != nil {
		problems = append(problems, all.Compared.Write(words))
	}
	for _, to := range o.outputs {
		problems = append(problems, all.WriteFile(to.file, to.format))
	}
	return errors.Join(problems...)
}

// policyName says where the policy came from. An address may have a password or a key in it, which is for nobody who reads the report.
func policyName(policy string) string {
	if policy == "" {
		return "that of the running dev"
	}
	if u, err := url.Parse(policy); err == nil && u.Host != "" {
		return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	}
	return policy
}

// placesOf finds the lines of the routes in the policy file, and in the Go files of this directory.
func placesOf(policy string) place.Places {
	elsewhere := place.New("", nil, place.GoFilesHere) // no file that a reviewer could see
	if policy == "" {
		return elsewhere
	}
	name, err := filepath.Rel(".", policy)
	if here, abs := os.Getwd(); abs == nil && filepath.IsAbs(policy) {
		name, err = filepath.Rel(here, policy)
	}
	if err != nil || !filepath.IsLocal(name) {
		return elsewhere
	}
	f, err := os.Open(policy)
	if err != nil { // an address, or whoever proves with it says why
		return elsewhere
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, document.MaxSize))
	if err != nil {
		return elsewhere
	}
	return place.New(filepath.ToSlash(name), text, place.GoFilesHere)
}

// onceEach asks for each token once, however many targets are proved: issuers count tokens and bill them.
type onceEach struct {
	prove.Tokens
	have map[string]string
}

// Token is that of [prove.Tokens]. A proof asks for one token after the other.
func (o onceEach) Token(ctx context.Context, scopes []string) (string, error) {
	key := strings.Join(scopes, " ")
	if token, ok := o.have[key]; ok {
		return token, nil
	}
	token, err := o.Tokens.Token(ctx, scopes)
	if err == nil {
		o.have[key] = token
	}
	return token, err
}
