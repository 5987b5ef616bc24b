package bench

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Options say how long to measure.
type Options struct {
	Rounds int           // each contender of a row is measured once in each
	Slice  time.Duration // of one measurement
}

// Result is what was measured of one contender.
type Result struct {
	Contender
	One    []float64 // nanoseconds an operation, in each round, on one processor
	Two    []float64 // on two, both doing it: wall time by operations of both
	Allocs float64
	Bytes  float64
}

// RowResult is a measured row.
type RowResult struct {
	Row
	Results []Result
}

// Measure measures the row. The contenders of a round follow each other at once and begin with another one each time, so that a machine that
// slows down for a minute slows all of them.
func Measure(row Row, o Options) (RowResult, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	out := RowResult{Row: row}
	var runs []*run
	for _, c := range row.Contenders {
		r, err := newRun(c, o.Slice)
		if err != nil {
			return out, fmt.Errorf("%s, %s: %w", row.Title, c.Name, err)
		}
		runs = append(runs, r)
	}
	for round := range o.Rounds {
		for i := range runs {
			r := runs[(round+i)%len(runs)]
			if err := r.round(); err != nil {
				return out, fmt.Errorf("%s, %s: %w", row.Title, r.Name, err)
			}
		}
	}
	for _, r := range runs {
		out.Results = append(out.Results, r.Result)
	}
	return out, nil
}

// run is one contender while it is measured.
type run struct {
	Result
	ops [2]Op
	n   int // operations in a slice
}

func newRun(c Contender, slice time.Duration) (*run, error) {
	r := &run{Result: Result{Contender: c}, n: 1}
	for i := range r.ops {
		op, err := c.Start()
		if err != nil {
			return nil, err
		}
		r.ops[i] = op
	}
	for {
		began := time.Now()
		if err := r.ops[0](r.n); err != nil {
			return nil, err
		}
		took := time.Since(began)
		if took >= slice/2 {
			r.n = max(1, int(float64(r.n)*float64(slice)/float64(took)))
			break
		}
		r.n *= 2
	}
	return r, r.memory()
}

// memory counts allocations: the least of three counts, for what runs in the background allocates too.
func (r *run) memory() error {
	n := min(r.n, 1000)
	for i := range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := r.ops[0](n); err != nil {
			return err
		}
		runtime.ReadMemStats(&after)
		allocs, bytes := float64(after.Mallocs-before.Mallocs)/float64(n), float64(after.TotalAlloc-before.TotalAlloc)/float64(n)
		if i == 0 || allocs < r.Allocs {
			r.Allocs = allocs
		}
		if i == 0 || bytes < r.Bytes {
			r.Bytes = bytes
		}
	}
	return nil
}

func (r *run) round() error {
	runtime.GOMAXPROCS(1)
	began := time.Now()
	if err := r.ops[0](r.n); err != nil {
		return err
	}
	r.One = append(r.One, perOperation(time.Since(began), r.n))
	runtime.GOMAXPROCS(2)
	var wg sync.WaitGroup
	var errs [2]error
	began = time.Now()
	for i, op := range r.ops {
		wg.Go(func() { errs[i] = op(r.n) })
	}
	wg.Wait()
	r.Two = append(r.Two, perOperation(time.Since(began), 2*r.n))
	if errs[0] != nil {
		return errs[0]
	}
	return errs[1]
}

func perOperation(took time.Duration, n int) float64 { return float64(took.Nanoseconds()) / float64(n) }

// Median is the middle of the list, and 0 for an empty one.
func Median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// Ratio is the median over the rounds of a by b.
func Ratio(a, b []float64) float64 {
	ratios := make([]float64, min(len(a), len(b)))
	for i := range ratios {
		ratios[i] = a[i] / b[i]
	}
	return Median(ratios)
}
