package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/cost"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

type costOptions struct {
	config                    issuerConfig
	state                     string
	usage, month, prices, out string
	by                        string
	processes                 int
	budget                    float64
	configChanged             bool
}

func newCost() *cobra.Command {
	var o costOptions
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Print what Amazon Cognito would bill for the tokens of a month",
		Long: `Prices the tokens that an issuer (usage in its configuration file) or a countersign dev has counted, as Amazon Cognito bills
machines, and warns of app clients whose cache is broken: those that ask for many more tokens, in the life of one, than they
have processes.

The prices come with the program and have a date; --prices names a file with others. Several replicas that count into one
directory are summed.

Exit codes: 0 printed, 1 the month costs more than --budget, 2 it could not be done.`,
		Example: `  countersign cost --config issuer.yaml
  countersign cost --usage /var/lib/countersign/usage --month 2026-11 --output json
  countersign cost --by day
  countersign cost --state ./state --budget 100      # of a countersign dev, in CI`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.configChanged = cmd.Flags().Changed("config")
			return runCost(cmd.OutOrStdout(), o)
		},
	}
	o.config.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.usage, "usage", "", "directory that was counted into (default: usage of --config)")
	flags.StringVar(&o.state, "state", "", "state directory of a countersign dev, which counts too")
	flags.StringVar(&o.month, "month", "", "month to price, such as 2026-11 (default: this one)")
	flags.StringVar(&o.prices, "prices", "", "file of prices (default: those that come with the program)")
	flags.IntVar(&o.processes, "processes", 10, "how many processes an app client may have before its cache counts as broken")
	flags.Float64Var(&o.budget, "budget", 0, "most that the month may cost; 0 means any amount")
	flags.StringVar(&o.by, "by", clientOrDay[0], "what a line of the text is about: client or day")
	complete(cmd, "by", clientOrDay...)
	addOutput(cmd, &o.out, textOrJSON...)
	_ = cmd.MarkFlagDirname("usage")
	_ = cmd.MarkFlagDirname("state")
	_ = cmd.MarkFlagFilename("prices", "yaml", "yml", "json")
	return cmd
}

var clientOrDay = []string{"client", "day"}

func runCost(w io.Writer, o costOptions) error {
	switch {
	case o.usage != "" && o.configChanged, o.state != "" && (o.usage != "" || o.configChanged):
		return errors.New("--usage, --state and --config are different places; keep one")
	case o.processes < 1:
		return errors.New("--processes is less than 1")
	case o.budget < 0:
		return errors.New("--budget is less than 0")
	}
	if err := cmp.Or(checkOutput(o.out, textOrJSON...), checkChoice("by", o.by, clientOrDay...)); err != nil {
		return err
	}
	bill, err := o.bill()
	if err != nil {
		return err
	}
	if o.out == "json" {
		err = encodeIndented(w, bill)
	} else {
		err = printBill(w, bill, o)
	}
	if err == nil && o.budget > 0 && bill.Total > o.budget {
		return exitError(exitDifference)
	}
	return err
}

func (o costOptions) bill() (cost.Bill, error) {
	dir := o.usage
	if o.state != "" {
		dir = dev.State(o.state).Usage()
	}
	if dir == "" {
		c, err := o.config.load()
		if err != nil {
			return cost.Bill{}, err
		}
		if dir = c.Usage; dir == "" {
			return cost.Bill{}, fmt.Errorf("%s: usage is not there: the issuer counts nothing; name a directory in it, or one that was counted into with --usage", c.Path)
		}
	}
	prices, err := cost.IncludedPrices()
	if o.prices != "" {
		prices, err = cost.ReadPrices(o.prices)
	}
	if err != nil {
		return cost.Bill{}, err
	}
	if o.month == "" {
		o.month = cost.Month(time.Now())
	}
	usage, err := cost.Read(dir, o.month)
	if err != nil {
		return cost.Bill{}, err
	}
	return cost.MakeBill(usage, prices, o.processes), nil
}

func printBill(w io.Writer, b cost.Bill, o costOptions) error {
	fmt.Fprintf(w, "%s, as Amazon Cognito would bill it at the prices of %s%s\n\n", b.Month, b.Prices, source(b.Source))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if o.by == "day" {
		printDays(table, b)
	} else {
		printClients(table, b)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if b.Stale {
		fmt.Fprintf(w, "\nwarning: these prices are more than a year older than %s; look into AWS' own list, and name a file of today's with --prices\n", b.Month)
	}
	for _, r := range b.Rows {
		if r.Broken {
			fmt.Fprintf(w, "\nwarning: app client %s (%s) asks for %.0f tokens in the life of one: its cache is broken, or it has more than %d processes;\n"+
				"see docs/client.md, or say how many it has with --processes\n", r.Client, r.Name, r.PerLife, o.processes)
		}
	}
	return nil
}

func printClients(w io.Writer, b cost.Bill) {
	fmt.Fprintf(w, "POOL\tAPP CLIENT\tNAME\tDAYS\tTOKENS\tPER LIFE\t%s\n", b.Currency)
	for _, r := range b.Rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%.1f\t%.2f\n", r.Pool, r.Client, r.Name, r.Days, r.Tokens, r.PerLife, r.Cost)
	}
	fmt.Fprintf(w, "\t%d app clients\t\t\t%d\t\t%.2f\n", b.Clients, b.Tokens, b.Total)
}

// printDays leaves the costs of a day out: the steps of the price are by the month.
func printDays(w io.Writer, b cost.Bill) {
	fmt.Fprintf(w, "DAY\tAPP CLIENTS\tTOKENS\t%s\n", b.Currency)
	for _, d := range b.ByDay {
		fmt.Fprintf(w, "%s\t%d\t%d\t\n", d.Date, d.Clients, d.Tokens)
	}
	fmt.Fprintf(w, "\t%d\t%d\t%.2f\n", b.Clients, b.Tokens, b.Total)
}

// source is where prices are from, as their file has it.
func source(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}
