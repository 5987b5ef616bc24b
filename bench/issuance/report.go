package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

func report(w io.Writer, all []*contender, bare map[string]*signatures) error {
	fmt.Fprintf(w, "%d processors, %s, %d connections\n\n", runtime.GOMAXPROCS(0), runtime.Version(), connections)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "server\ttokens/s\tof the signature alone\tof the floor\tp50\tp99\tp99/p50\tCPU ms/token\tof the signature's\tMiB")
	floors := map[string]*contender{}
	for _, c := range all {
		if !c.ours && !c.peer {
			floors[c.alg] = c
		}
		p50, p99 := c.percentile(.50), c.percentile(.99)
		fmt.Fprintf(table, "%s\t%.0f\t%.3f\t%.2f\t%.2f ms\t%.2f ms\t%.1f\t%.3f\t%.2f\t%d\n", c.name, median(c.rates),
			ratioOf(c.rates, bare[c.alg].rates), ratioOf(c.rates, floors[c.alg].rates),
			ms(p50), ms(p99), float64(p99)/float64(p50), median(c.cpu), ratioOf(c.cpu, bare[c.alg].cpu), c.memory()>>10)
	}
	for _, alg := range algorithms {
		fmt.Fprintf(table, "the signature alone %s\t%.0f\t1\t\t\t\t\t%.3f\t1\n", alg, median(bare[alg].rates), median(bare[alg].cpu))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, c := range all {
		if c.ours {
			fmt.Fprintf(w, "%s: answers %.0f ms after its start, with %d MiB\n", c.name, ms(c.started), c.idle>>10)
		}
	}
	return nil
}

// ratioOf is the median of the ratios of the same rounds: what slows the machine slows both.
func ratioOf(ours, floor []float64) float64 {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i] / floor[i]
	}
	return median(ratios)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
