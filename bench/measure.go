package bench

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
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
	runtime.GC() // what starting left behind is nobody's
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
	if err := r.calibrate(slice); err != nil {
		return nil, err
	}
	return r, r.memory()
}

// calibrate finds how many operations fill a slice. It takes the best of three tries: one that the system interrupted would make all rounds too
// short, and short rounds measure how the processor warms up.
func (r *run) calibrate(slice time.Duration) error {
	for {
		best := time.Duration(math.MaxInt64)
		for range 3 {
			began := time.Now()
			if err := r.ops[0](r.n); err != nil {
				return err
			}
			best = min(best, time.Since(began))
		}
		if best >= slice/2 {
			r.n = max(1, int(float64(r.n)*float64(slice)/float64(best)))
			return nil
		}
		r.n *= 2
	}
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
	r.Allocs = math.Round(r.Allocs)
	return nil
}

func (r *run) round() error {
	runtime.GOMAXPROCS(1)
	// The others have had the caches since our last round.
	if err := r.ops[0](r.n / 10); err != nil {
		return err
	}
	began := time.Now()
	if err := r.ops[0](r.n); err != nil {
		return err
	}
	r.One = append(r.One, perOperation(time.Since(began), r.n))
	took, err := r.both()
	r.Two = append(r.Two, perOperation(took, 2*r.n))
	return err
}

// both has two cores do it at once, and is how long the slower of them took. They begin when both are there: until the system has woken the
// second thread, there is only one.
func (r *run) both() (time.Duration, error) {
	runtime.GOMAXPROCS(2)
	var there atomic.Int32
	var wg sync.WaitGroup
	var took [2]time.Duration
	var errs [2]error
	for i, op := range r.ops {
		wg.Go(func() {
			for there.Add(1); there.Load() < 2; {
				runtime.Gosched()
			}
			began := time.Now()
			errs[i] = op(r.n)
			took[i] = time.Since(began)
		})
	}
	wg.Wait()
	return max(took[0], took[1]), errors.Join(errs[0], errs[1])
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

// Best is the least of the list, and 0 for an empty one. Whatever else runs on the machine can only make a round longer, so that the best round is
// nearest to what the code costs.
func Best(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	return slices.Min(list)
}
