package otelguard

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// Config says where the measurements go. The zero Config is useful.
type Config struct {
	// MeterProvider has the instruments. Nil is the global one.
	MeterProvider metric.MeterProvider
	// Clients names the clients that are told apart, at most 256: client id to name. Every other client is "other": a pool
	// can have thousands of clients, and each would be a series for every route.
	Clients map[string]string
	// Now is the time. Nil is time.Now.
	Now func() time.Time
}

// Bounds of Config. A backend shows names of this length whole.
const (
	maxClients = 256
	maxName    = 64
)

// other is the name of clients that have none.
const other = "other"

func (c Config) validated() (Config, error) {
	var problems []error
	if len(c.Clients) > maxClients {
		problems = append(problems, fmt.Errorf("otelguard: Clients has %d entries, more than %d; each is a series for every route", len(c.Clients), maxClients))
	}
	for id, name := range c.Clients {
		if id == "" || name == "" || len(name) > maxName {
			problems = append(problems, fmt.Errorf("otelguard: Clients: %q is named %q; both must be there, and the name at most %d bytes long", id, name, maxName))
		}
	}
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Clients = maps.Clone(c.Clients)
	return c, errors.Join(problems...)
}

// client is the name under which a client is counted; empty when nobody is known.
func (c *Config) client(id string) string {
	if id == "" {
		return ""
	}
	if name, ok := c.Clients[id]; ok {
		return name
	}
	return other
}
