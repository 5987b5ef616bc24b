package dev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/countersign-dev/countersign/cmd/countersign/chaos"
	"github.com/countersign-dev/countersign/cmd/countersign/control"
	"github.com/countersign-dev/countersign/cognito"
)

// Steering makes the issuer behave as Cognito does on a worse day. The zero value changes nothing.
type Steering struct {
	Chaos       chaos.Plan                      // faults, from [System.Begin] on
	Quotas      cognito.Rates                   // rates, from [System.Begin] on
	ControlAddr string                          // host:port of the listener that sets faults, quotas and the clock; empty means none
	Hooks       map[string]cognito.PreTokenHook // pre token generation triggers by Lambda ARN
	Lenient     bool                            // scopes that a client does not have are ignored, as one of Cognito's pages says
	AWSIssuer   bool                            // the issuer has AWS's own URL, which [Running].ProxyURL answers for
}

// steering is the state of what a Steering asks for.
type steering struct {
	Steering
	clock  control.Clock
	quotas *cognito.Quotas
	chaos  *chaos.Chaos
	aws    awsFront
}

// service completes the configuration of the issuer's service.
func (s *steering) service(c cognito.Config) cognito.Config {
	c.Now, c.PreTokenGeneration = s.clock.Now, s.Hooks
	c.IgnoreDisallowedScopes = s.Lenient
	if s.AWSIssuer {
		c.BaseURL = ""
	}
	s.quotas = cognito.NewQuotas(cognito.Rates{}, nil)
	return c
}

// front puts the faults in front of the issuer. There are none before Begin.
func (s *steering) front(issuer http.Handler) http.Handler {
	s.chaos = chaos.New(issuer, chaos.Plan{})
	return s.chaos
}

// UncalledTrigger is the Lambda ARN of the pool's pre token generation trigger, if it is one that no hook answers for.
func (s *System) UncalledTrigger() string {
	pool, err := s.service.DescribeUserPool(context.Background(), cognito.DescribeUserPoolInput{UserPoolID: s.Running.UserPoolID})
	var config struct {
		PreTokenGenerationConfig struct{ LambdaVersion, LambdaArn string }
	}
	if err != nil || json.Unmarshal(pool.UserPool.LambdaConfig, &config) != nil {
		return ""
	}
	trigger := config.PreTokenGenerationConfig
	if trigger.LambdaVersion != "V3_0" || s.steer.Hooks[trigger.LambdaArn] != nil {
		return ""
	}
	return trigger.LambdaArn
}

// Begin lets faults and quotas begin. The proof at the start is of the service, and comes before.
func (s *System) Begin() {
	s.steer.quotas.SetRates(s.steer.Quotas)
	s.steer.chaos.SetPlan(s.steer.Chaos)
}

// openControl serves the control listener, if there is to be one.
func (s *System) openControl() error {
	addr := s.steer.ControlAddr
	if addr == "" {
		return nil
	}
	if err := control.CheckAddress(addr); err != nil {
		return fmt.Errorf("--control-addr: %w", err)
	}
	listeners, err := listen(address{"control listener", "--control-addr", addr})
	if err != nil {
		return err
	}
	l := listeners[0]
	s.teardown.Listener(l)
	handler, err := control.New(control.Config{Chaos: s.steer.chaos, Quotas: s.steer.quotas, Clock: &s.steer.clock})
	if err != nil {
		return err
	}
	if s.Running.ControlURL, err = urlOf("http", addr, l); err != nil {
		return err
	}
	s.serve(l, newServer(handler))
	return nil
}

// writeBundle writes the certificates that a client of the proxy trusts: Cognito's hosts as they are here, and the edge.
func (s *System) writeBundle(pem []byte) error {
	path := s.state.path("aws-ca.pem")
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, pem, 0o644); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	s.Running.ProxyCA = absolute
	s.teardown.Add(func() error {
		// The key went with this process; nobody should trust what is left of it.
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("state directory: %w", err)
		}
		return nil
	})
	return nil
}

// shutdown ends something that drains, within the time that the system has for it.
func (s *System) shutdown(end func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.drain)
	defer cancel()
	if err := end(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
