package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"text/tabwriter"
	"time"
)

func report(w io.Writer, all []*contender) error {
	fmt.Fprintf(w, "%d processors, %s, %d connections\n\n", runtime.GOMAXPROCS(0), runtime.Version(), connections)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "server\ttokens/s\tof the floor\tp50\tp99\tp99/p50\tCPU ms/token\tMiB")
	floors := map[string]*contender{}
	for _, c := range all {
		ratio := "1"
		if c.ours || c.peer {
			ratio = fmt.Sprintf("%.2f", ratioOf(c.rates, floors[c.alg].rates))
		} else {
			floors[c.alg] = c
		}
		p50, p99 := c.percentile(.50), c.percentile(.99)
		fmt.Fprintf(table, "%s\t%.0f\t%s\t%.2f ms\t%.2f ms\t%.1f\t%.3f\t%d\n", c.name, median(c.rates), ratio,
			ms(p50), ms(p99), float64(p99)/float64(p50), median(c.cpu), c.memory()>>10)
	}
	for _, alg := range []string{"RS256", "ES256"} {
		rate, err := alone(alg, time.Second)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "the signature alone %s\t%.0f\n", alg, rate)
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

// alone is how many signatures all processors make in a second, without a server.
func alone(alg string, d time.Duration) (float64, error) {
	sign, err := signer(alg)
	if err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	counts := make([]int, runtime.GOMAXPROCS(0))
	end := time.Now().Add(d)
	for i := range counts {
		all.Go(func() {
			for time.Now().Before(end) {
				if _, err := sign([]byte(claims)); err == nil {
					counts[i]++
				}
			}
		})
	}
	all.Wait()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return float64(sum) / d.Seconds(), nil
}
