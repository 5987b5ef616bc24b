package dev

import (
	"context"

	"github.com/countersign-dev/countersign/cmd/countersign/cost"
	"github.com/countersign-dev/countersign/cognito"
)

// Usage is the directory in which the tokens of the system's clients are counted.
func (s State) Usage() string { return s.path("usage") }

// meter counts tokens until Close, for countersign cost.
func (s *System) meter() (func(cognito.Observation), error) {
	// The directory is this process's alone, and it goes on with what the one before it has counted.
	m, err := cost.NewMeter(cost.MeterConfig{Dir: s.state.Usage(), Instance: "dev", Describe: s.service.TokenLife})
	if err != nil {
		return nil, err
	}
	s.teardown.Run(func(ctx context.Context) {
		m.Run(ctx, func(err error) { s.logger.Warn("usage could not be written", "cause", err.Error()) })
	})
	return func(o cognito.Observation) {
		if o.Token() {
			m.Count(o.PoolID, o.ClientID)
		}
	}, nil
}
