package main

import (
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/countersign-dev/countersign/cmd/countersign/report"
	"github.com/countersign-dev/countersign/prove"
)

func (o *devOptions) addReport(flags *pflag.FlagSet) {
	flags.StringArrayVar(&o.reports.reports, "report", nil, "with --once: write a report, as in junit=FILE ("+strings.Join(report.Formats, ", ")+"); repeatable")
}

// checkReport reads every --report.
func (o *devOptions) checkReport() error {
	o.reports.format = "table"
	if err := o.reports.readOutputs(); err != nil {
		return err
	}
	switch {
	case len(o.reports.reports) > 0 && !o.once:
		return errors.New("--report goes with --once; of a dev that stays up, prove writes one, as in: countersign prove http://localhost:8080 --report junit=FILE")
	case o.reports.format != "table":
		return errors.New("--report: the standard output has the table; name a file")
	}
	return nil
}

// reporter writes the reports that were asked for, of a proof that begins now.
func (o *devOptions) reporter(now time.Time) func(direct, edge prove.Report) error {
	return func(direct, edge prove.Report) error {
		if len(o.reports.outputs) == 0 {
			return nil
		}
		policy := ""
		if o.App != nil {
			if file := o.App.Config.Resolve(o.App.Config.Service.Policy); isThere(file) {
				policy = file
			}
		}
		cfg := report.Config{Version: version(), At: now, Policy: policyName(policy), Places: placesOf(policy)}
		all := report.New(cfg, direct)
		if len(edge.Rows) > 0 {
			all = report.NewLayers(cfg, edge, direct)
		}
		var problems []error
		for _, to := range o.reports.outputs {
			problems = append(problems, all.WriteFile(to.file, to.format))
		}
		return errors.Join(problems...)
	}
}

func isThere(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
