package drill

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Config is the size of a drill. Every field has a useful zero value.
type Config struct {
	Rate     int           // API requests a second, of all pods together; 0 means 500
	Pods     int           // 0 means 20
	Duration time.Duration // 0 means a minute, and 6 of them for everything
	// Life is how long the issuer says that a token lives; 0 means 20 seconds for the drills that replace one thing, and
	// 5 minutes, the shortest that Cognito gives, for the others. It is between the two: shorter-lived tokens are not renewed ahead, and
	// longer ones the issuer does not give.
	Life   time.Duration
	Outage time.Duration // of issuer-outage; 0 means 20 seconds
	Skew   time.Duration // of clock-skew; 0 means 45 seconds
	// Chaos is how many answers of the issuer fail, in percent, as chaos.Parse reads it. Empty means none, and
	// [Faults] for everything. Key sets are never given unknown key ids: that fault is the service's and not the client's.
	Chaos string
	// Quotas limits token requests as AWS does; for everything they always are.
	Quotas bool
	// Step is told of what happens, when it does; nil tells nobody.
	Step func(at time.Duration, what string)

	network network // of tests; nil for sockets
}

// Report is what a drill found.
type Report struct {
	Drill         string           `json:"drill"`
	Seconds       float64          `json:"seconds"`
	Requests      int64            `json:"requests"`
	Failed        int64            `json:"failed"`
	Failures      map[string]int64 `json:"failures,omitempty"` // by reason
	Rate          float64          `json:"requests_per_second"`
	TokenRequests int64            `json:"token_requests"`
	Granted       int64            `json:"token_requests_granted"`
	StartPeak     int64            `json:"token_requests_first_second"` // a pod without a token asks at once
	Peak          int64            `json:"token_requests_peak_second"`  // the most in one second after the first
	Cost          float64          `json:"cost_usd"`
	Steps         []Step           `json:"steps"`
	Incomplete    string           `json:"incomplete,omitempty"` // why what should have happened did not
}

// Step is something that happened.
type Step struct {
	Seconds float64 `json:"seconds"`
	What    string  `json:"what"`
}

// OK reports whether all that should happen did, and no request failed.
func (r Report) OK() bool { return r.Failed == 0 && r.Requests > 0 && r.Incomplete == "" }

const (
	shortLife = 20 * time.Second
	issuerMin = 5 * time.Minute
)

// event makes something happen in the time that the drill has. Its error is that it could not.
type event func(ctx context.Context, s *system, cfg Config) error

// Faults is the chaos of the drill everything.
const Faults = "slow=10,500=2,429=2,unknown-kid=1,truncated=1"

var drills = map[string]struct {
	event    event
	defaults Config
}{
	"rotate-secret": {rotateSecret, Config{Life: shortLife}},
	"rotate-keys":   {rotateKeys, Config{Life: shortLife}},
	"issuer-outage": {issuerOutage, Config{Life: issuerMin}},
	"clock-skew":    {clockSkew, Config{Life: issuerMin}},
	"everything":    {everything, Config{Life: issuerMin, Duration: 6 * time.Minute, Chaos: Faults, Quotas: true}},
}

// Names returns the drills that there are.
func Names() []string { return slices.Sorted(maps.Keys(drills)) }

// Run runs a drill. The error is that it could not be run; what failed in it is in the report.
func Run(ctx context.Context, name string, cfg Config) (Report, error) {
	cfg, err := cfg.For(name)
	if err != nil {
		return Report{}, err
	}
	s, err := newSystem(ctx, cfg)
	if err != nil {
		return Report{}, fmt.Errorf("drill: %w", err)
	}
	defer s.close()
	running, stop := context.WithTimeout(ctx, cfg.Duration)
	defer stop()
	happened := make(chan error, 1)
	go func() { happened <- drills[name].event(running, s, cfg) }()
	s.load(running, cfg)
	err = <-happened
	if ctx.Err() != nil {
		return Report{}, errors.New("drill: interrupted")
	}
	report := s.report(name)
	if err != nil {
		report.Incomplete = err.Error()
	}
	return report, nil
}

// For returns the configuration with what the drill of that name takes where a field is empty.
func (c Config) For(name string) (Config, error) {
	drill, found := drills[name]
	if !found {
		return c, fmt.Errorf("drill: there is no drill %q; there are %q", name, Names())
	}
	d := drill.defaults
	for _, n := range []struct {
		name     string
		negative bool
	}{{"rate", c.Rate < 0}, {"number of pods", c.Pods < 0}, {"duration", c.Duration < 0}, {"life", c.Life < 0}, {"outage", c.Outage < 0}, {"skew", c.Skew < 0}} {
		if n.negative {
			return c, fmt.Errorf("drill: the %s is negative", n.name)
		}
	}
	setDefault(&c.Rate, 500)
	setDefault(&c.Pods, 20)
	setDefault(&c.Duration, d.Duration)
	setDefault(&c.Duration, time.Minute)
	setDefault(&c.Life, d.Life)
	setDefault(&c.Chaos, d.Chaos)
	c.Quotas = c.Quotas || d.Quotas
	setDefault(&c.Outage, 20*time.Second)
	setDefault(&c.Skew, 45*time.Second)
	if c.Step == nil {
		c.Step = func(time.Duration, string) {}
	}
	if c.network == nil {
		c.network = &sockets{}
	}
	if c.Life < shortLife || c.Life > issuerMin {
		return c, fmt.Errorf("drill: a life of %v; a token that is renewed ahead lives %v at least, and the issuer's live %v", c.Life, shortLife, issuerMin)
	}
	if c.Rate < c.Pods {
		return c, fmt.Errorf("drill: %d requests a second are fewer than %d pods; each makes one at least", c.Rate, c.Pods)
	}
	return c, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
