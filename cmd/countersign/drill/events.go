package drill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// errTooShort is of a drill that ended before all of it had happened.
var errTooShort = errors.New("the drill was over before all of it had happened; let it run for longer")

// wait sleeps; its error is that the drill is over.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return errTooShort
	}
}

// everything replaces the secret and the keys, and takes the issuer away while the pods' renewals are due.
func everything(ctx context.Context, s *system, cfg Config) error {
	parts := []event{replaceSecret, replaceKey, issuerOutage}
	ended := make(chan error, len(parts))
	for _, part := range parts {
		go func() { ended <- part(ctx, s, cfg) }()
	}
	var problems []error
	for range parts {
		problems = append(problems, <-ended)
	}
	return errors.Join(problems...)
}

// rotateSecret is replaceSecret, and then waits until the new secret alone has renewed every token.
func rotateSecret(ctx context.Context, s *system, cfg Config) error {
	if err := replaceSecret(ctx, s, cfg); err != nil {
		return err
	}
	return s.renewals(ctx, "with the new one alone")
}

// replaceSecret replaces the client's secret as docs/client.md says: the second secret is added, published, seen in use by
// every pod, and only then is the first one removed.
func replaceSecret(ctx context.Context, s *system, cfg Config) error {
	if err := wait(ctx, cfg.Duration/10); err != nil {
		return err
	}
	added, err := s.service.AddUserPoolClientSecret(ctx, cognito.AddUserPoolClientSecretInput{UserPoolID: s.pool, ClientID: s.clientID})
	if err != nil {
		return fmt.Errorf("the second secret: %w", err)
	}
	s.step("the issuer has a second secret for the client")
	if err := wait(ctx, cfg.Duration/20); err != nil {
		return err
	}
	if err := s.mount.put(s.clientID, added.ClientSecretDescriptor.ClientSecretValue.Reveal()); err != nil {
		return fmt.Errorf("publish the secret: %w", err)
	}
	s.step("it is in the files that the pods mount, in place of the first one")
	for !s.allPods(func(p *pod) bool { return p.source.Stats().SecretGeneration >= 2 }) {
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	s.step(fmt.Sprintf("all %d pods have got a token with it", len(s.pods)))
	_, err = s.service.DeleteUserPoolClientSecret(ctx, cognito.DeleteUserPoolClientSecretInput{
		UserPoolID: s.pool, ClientID: s.clientID, ClientSecretID: s.secretID,
	})
	if err != nil {
		return fmt.Errorf("remove the first secret: %w", err)
	}
	s.step("the issuer has removed the first secret")
	return nil
}

// renewals waits until every pod has got another token than it has now.
func (s *system) renewals(ctx context.Context, how string) error {
	before := map[*pod]int64{}
	for _, p := range s.pods {
		before[p] = p.source.Stats().Granted
	}
	for !s.allPods(func(p *pod) bool { return p.source.Stats().Granted > before[p] }) {
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	s.step(fmt.Sprintf("all %d pods have renewed %s", len(s.pods), how))
	return nil
}

// rotateKeys is replaceKey, and then once more without publishing the key, as after a theft; but the old keys stay.
func rotateKeys(ctx context.Context, s *system, cfg Config) error {
	if err := replaceKey(ctx, s, cfg); err != nil {
		return err
	}
	if err := s.rotate(ctx, cfg, true, "a key signs that was in no key set before"); err != nil {
		return err
	}
	return s.renewals(ctx, "under the last key")
}

// replaceKey replaces the key that signs as a schedule does: it is published first.
func replaceKey(ctx context.Context, s *system, cfg Config) error {
	if err := s.rotate(ctx, cfg, false, "a new key is in the key set"); err != nil {
		return err
	}
	return s.rotate(ctx, cfg, true, "the new key signs")
}

func (s *system) rotate(ctx context.Context, cfg Config, now bool, what string) error {
	if err := wait(ctx, cfg.Duration/10); err != nil {
		return err
	}
	if _, err := s.service.RotateKey(ctx, cognito.RotateKeyInput{UserPoolID: s.pool, Now: now}); err != nil {
		return fmt.Errorf("rotate the key: %w", err)
	}
	s.step(what)
	return nil
}

// issuerOutage takes the issuer away: it refuses, breaks connections and does not answer, in turn. If the drill is long
// enough, that is when the pods' first renewals are due.
func issuerOutage(ctx context.Context, s *system, cfg Config) error {
	start := cfg.Life * 7 / 10
	if start+cfg.Outage >= cfg.Duration {
		start = cfg.Duration / 4
	}
	if err := wait(ctx, start); err != nil {
		return err
	}
	before := s.front.requests.Load()
	s.front.away.Store(true)
	s.step(fmt.Sprintf("the issuer is away for %v", cfg.Outage))
	err := wait(ctx, cfg.Outage)
	s.front.away.Store(false)
	if err != nil {
		return err
	}
	s.step(fmt.Sprintf("the issuer is back; meanwhile it was asked for a token %d times in vain", s.front.requests.Load()-before))
	return nil
}

// clockSkew sets the clocks of the service and of the pods apart from the issuer's, ahead and behind, in turn.
func clockSkew(ctx context.Context, s *system, cfg Config) error {
	for _, turn := range []struct {
		what          string
		service, pods time.Duration
	}{
		{"the service's clock is %v ahead", cfg.Skew, 0},
		{"the service's clock is %v behind", -cfg.Skew, 0},
		{"the pods' clocks are %v ahead", 0, cfg.Skew},
		{"the pods' clocks are %v behind", 0, -cfg.Skew},
		{"the service's clock is %v ahead and the pods' as much behind", cfg.Skew, -cfg.Skew},
	} {
		if err := wait(ctx, cfg.Duration/8); err != nil {
			return err
		}
		s.serviceClock.Store(int64(turn.service))
		s.podClock.Store(int64(turn.pods))
		s.step(fmt.Sprintf(turn.what, cfg.Skew))
	}
	return wait(ctx, cfg.Duration/8)
}
