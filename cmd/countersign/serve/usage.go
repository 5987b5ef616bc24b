package serve

import (
	"context"

	"github.com/countersign-dev/countersign/cmd/countersign/cost"
)

// countUsage counts the tokens of each client, for countersign cost.
func (s *Server) countUsage() (err error) {
	if s.meter, err = s.newMeter(); s.meter == nil {
		return err
	}
	s.teardown.Run(func(ctx context.Context) {
		s.meter.Run(ctx, func(err error) { s.logger.Error("usage could not be written; it is tried again", "cause", err.Error()) })
	})
	return nil
}

// newMeter makes the directory; it is nil where nothing is counted.
func (s *Server) newMeter() (*cost.Meter, error) {
	if s.config.Usage == "" {
		return nil, nil
	}
	config := cost.MeterConfig{Dir: s.config.Usage}
	if s.service != nil {
		config.Describe = s.service.TokenLife
	}
	meter, err := cost.NewMeter(config)
	if err != nil {
		return nil, s.config.errorAt("usage", err)
	}
	return meter, nil
}
