package clientcredentials

import (
	"sync/atomic"
	"time"
)

// Stats is what a [Source] did, for metrics; a call that is served from memory is not counted.
type Stats struct {
	Requests         int64     // token requests sent
	Granted          int64     // token requests that were granted; this is what an issuer bills
	OverBudget       int64     // windows of [Config].Budget in which more was granted than it has
	Failures         int64     // attempts that brought no token
	ForcedRenewals   int64     // renewals because an API refused the token
	Replays          int64     // API requests sent again with another token
	Fallbacks        int64     // attempts in which the preferred secret was refused and another one worked
	SecretFallback   bool      // the last token was granted for another secret than the preferred one
	SecretGeneration int64     // grows each time another secret works than before; 0 before the first token
	Expiry           time.Time // of the token that is held; zero without one
}

// meter counts for Stats.
type meter struct {
	requests, granted, overBudget, failures, forced, replays, fallbacks, generation atomic.Int64
	fallback                                                                        atomic.Bool
}

// Stats returns the counts so far.
func (s *Source) Stats() Stats {
	stats := Stats{
		Requests:         s.meter.requests.Load(),
		Granted:          s.meter.granted.Load(),
		OverBudget:       s.meter.overBudget.Load(),
		Failures:         s.meter.failures.Load(),
		ForcedRenewals:   s.meter.forced.Load(),
		Replays:          s.meter.replays.Load(),
		Fallbacks:        s.meter.fallbacks.Load(),
		SecretFallback:   s.meter.fallback.Load(),
		SecretGeneration: s.meter.generation.Load(),
	}
	if e := s.current.Load(); e != nil {
		stats.Expiry = e.token.Expiry
	}
	return stats
}
