package main

import (
	"errors"
	"runtime"
	"sync"
	"syscall"
	"time"
)

var algorithms = []string{"RS256", "ES256"}

// signatures is what no server in Go can be faster than: crypto/rsa or crypto/ecdsa on all processors, without a server.
type signatures struct {
	sign func(input []byte) ([]byte, error)

	rates []float64 // signatures a second, in each slice
	cpu   []float64 // milliseconds of processor time a signature, in each slice
}

func newSignatures() (map[string]*signatures, error) {
	all := map[string]*signatures{}
	for _, alg := range algorithms {
		sign, err := signer(alg)
		if err != nil {
			return nil, err
		}
		all[alg] = &signatures{sign: sign}
	}
	return all, nil
}

func (s *signatures) measure(slice time.Duration) error {
	counts, problems := make([]int, runtime.GOMAXPROCS(0)), make([]error, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	before, begin := ownCPU(), time.Now()
	end := begin.Add(slice)
	for i := range counts {
		all.Go(func() {
			for time.Now().Before(end) && problems[i] == nil {
				_, problems[i] = s.sign([]byte(claims))
				counts[i]++
			}
		})
	}
	all.Wait()
	elapsed := time.Since(begin).Seconds()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	s.rates = append(s.rates, float64(sum)/elapsed)
	s.cpu = append(s.cpu, (ownCPU()-before)*1000/float64(sum))
	return errors.Join(problems...)
}

// ownCPU is what this process has used of the processors, in seconds.
func ownCPU() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
