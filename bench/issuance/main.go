package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	floor := flag.String("floor", "", "be the floor handler with this algorithm, RS256 or ES256 (used by the program itself)")
	rounds := flag.Int("rounds", 5, "how often each contender is measured")
	slice := flag.Duration("slice", 2*time.Second, "how long each time")
	tags := flag.String("tags", "", "build tags of the issuer, as openssl")
	peer := flag.Bool("peer", false, "measure node-oidc-provider too, which npm installs")
	flag.Parse()
	if err := run(*floor, *rounds, *slice, *tags, *peer); err != nil {
		fmt.Fprintln(os.Stderr, "issuance:", err)
		os.Exit(2)
	}
}

func run(floor string, rounds int, slice time.Duration, tags string, peer bool) error {
	if floor != "" {
		return serveFloor(floor)
	}
	contenders, stop, err := startAll(tags, peer)
	defer stop()
	if err != nil {
		return err
	}
	bare, err := newSignatures()
	if err != nil {
		return err
	}
	for round := range rounds {
		for i := range contenders {
			c := contenders[(round+i)%len(contenders)]
			if err := c.measure(slice); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
		for _, s := range bare {
			if err := s.measure(slice); err != nil {
				return err
			}
		}
	}
	return report(os.Stdout, contenders, bare)
}

// startAll starts a floor and an issuer for each algorithm. They are idle while others are measured.
func startAll(tags string, peer bool) (all []*contender, stop func(), err error) {
	stop = func() {
		for _, c := range all {
			c.kill()
		}
	}
	binary, err := build(tags)
	if err != nil {
		return nil, stop, err
	}
	for _, alg := range algorithms {
		for _, start := range []func(string) (*contender, error){startFloor, func(alg string) (*contender, error) { return startIssuer(binary, alg) }} {
			c, err := start(alg)
			if c != nil {
				all = append(all, c)
			}
			if err != nil {
				return all, stop, err
			}
		}
	}
	if peer {
		c, err := startPeer()
		if c != nil {
			all = append(all, c)
		}
		return all, stop, err
	}
	return all, stop, nil
}
