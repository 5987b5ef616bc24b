package prove

import (
	"crypto"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/countersign-dev/countersign"
)

// Config says what to prove, on which target, and with what. Policy and Target are required.
type Config struct {
	Policy countersign.Policy
	Target Target

	// Tokens mints the good tokens. When it is nil, only what needs no token is run.
	Tokens Tokens
	// Signer is the issuer's private key, where the prover holds it: in process and at the local issuer. Without it the
	// bad tokens that only the issuer could have signed cannot be made.
	Signer crypto.Signer
	// Expired is an access token of the issuer that was good once and expired at least five minutes ago. Where there is no Signer,
	// it is the bad token that has expired.
	Expired string
	// Keys are the issuer's public keys, for the tokens that abuse them: see [FetchKeys]. When it is nil, Signer has the key.
	Keys *Keys

	// Values are for the wildcards of patterns, by name. A wildcard that has none is "1".
	Values map[string]string
	// Made says, for all routes, what [Example.Made] says for one: a wildcard without a value is made up, and so is the root of
	// a subtree. It is for a service with data of its own, of which nobody knows what exists.
	Made bool
	// Examples say what else the requests of a route are made of, by [countersign.Route.Pattern].
	Examples map[string]Example
	// RefusalsOnly keeps requests that must be admitted from methods that change things.
	RefusalsOnly bool
	// Probe is the scope of the target's dry-run probe, [countersign.Config.ProbeScope]. With it nothing that must be admitted is sent to
	// methods that change things: the guard is asked for its decision, and no handler is called.
	Probe string

	// Strict lets no gap pass ([Report.Gaps]): if there was no client to try something with, the exit code is 2, and not 0.
	Strict bool

	// Concurrency bounds the requests under way. Zero is 8.
	Concurrency int
	// Timeout bounds each request. Zero is 10 seconds.
	Timeout time.Duration
	// Progress, if it is not nil, is called after each case, by one goroutine at a time.
	Progress func(done, total int)
	// Now is the time. Nil is time.Now.
	Now func() time.Time
}

// The zero values of Config.
const (
	defaultConcurrency = 8
	defaultTimeout     = 10 * time.Second
	maxConcurrency     = 1000
)

func (c *Config) validate() error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf("prove: "+format, args...)) }
	if len(c.Policy.Routes) == 0 {
		problem("the policy has no routes")
	}
	if c.Target == nil {
		problem("Target is required")
	}
	if c.Concurrency < 0 || c.Concurrency > maxConcurrency {
		problem("Concurrency is %d; write 1 to %d", c.Concurrency, maxConcurrency)
	}
	if c.Timeout < 0 {
		problem("Timeout is negative")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.checkProbe(problem)
	c.checkExpired(problem)
	for _, pattern := range slices.Sorted(maps.Keys(c.Examples)) {
		c.Examples[pattern].validate(pattern, problem)
	}
	if c.Concurrency == 0 {
		c.Concurrency = defaultConcurrency
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	return errors.Join(problems...)
}
