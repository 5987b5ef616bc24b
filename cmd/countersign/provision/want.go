package provision

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

// ServiceTag is the tag of a user pool, and of a secret, that says which service it was made for.
const ServiceTag = aws.ServiceTag

// Want is what there shall be. It is made of the file alone.
type Want struct {
	Service string // the value of ServiceTag
	Region  string
	Pool    WantPool
	Server  WantServer
	Clients []WantClient
}

// WantPool is the user pool with its domain.
type WantPool struct {
	ID        string // of a pool that exists; "" to find it by name and tag, or make it
	Name      string
	Domain    string // prefix
	Protected bool   // deletion protection
}

// WantServer is the resource server.
type WantServer struct {
	Identifier, Name string
	Scopes           []config.Scope
}

// WantClient is an app client of the client_credentials grant.
type WantClient struct {
	Name     string
	Scopes   []string // in full, as identifier/name
	Validity time.Duration
	Secret   config.SecretPlace
}

// NewWant reads what there shall be from the file. A local run has no use for the id of a pool of AWS: it finds the pool by
// its name.
func NewWant(cfg *config.Config, region string, local bool) (Want, error) {
	w := Want{
		Service: cfg.Service.Name,
		Region:  region,
		Pool:    WantPool{ID: cfg.Pool.ID, Name: cfg.Pool.Name, Domain: cfg.Pool.Domain, Protected: cfg.Pool.DeletionProtection == nil || *cfg.Pool.DeletionProtection},
		Server:  WantServer{Identifier: cfg.Resource.Identifier, Name: cfg.Resource.Name, Scopes: slices.Clone(cfg.Resource.Scopes)},
	}
	if local {
		w.Pool.ID = ""
	}
	for _, c := range cfg.Clients {
		client := WantClient{Name: c.Name, Validity: c.AccessTokenValidity, Secret: c.Secret}
		for _, scope := range c.Scopes {
			client.Scopes = append(client.Scopes, w.Server.Identifier+"/"+scope)
		}
		w.Clients = append(w.Clients, client)
	}
	for i := range w.Server.Scopes {
		if w.Server.Scopes[i].Description == "" { // Cognito: a description is required
			w.Server.Scopes[i].Description = w.Server.Scopes[i].Name
		}
	}
	return w, w.check(cfg.Path)
}

// check finds what Cognito would refuse in the middle of the work, or, worse, what would land in the wrong place.
func (w Want) check(path string) error {
	var problems []error
	say := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf(path+": "+format, args...))
	}
	for key, value := range map[string]string{
		"service.name": w.Service, "pool.name": w.Pool.Name, "pool.domain": w.Pool.Domain, "resource.identifier": w.Server.Identifier, "resource.name": w.Server.Name,
	} {
		if value == "" {
			say("%s is missing", key)
		}
	}
	if region, _, found := strings.Cut(w.Pool.ID, "_"); found && region != w.Region {
		say("pool.id %s is a pool of region %s, and the region here is %s", w.Pool.ID, region, w.Region)
	}
	names, places := map[string]bool{}, map[config.SecretPlace]string{}
	for _, c := range w.Clients {
		if names[c.Name] {
			say("two clients are named %s", c.Name)
		}
		names[c.Name] = true
		if len(c.Scopes) == 0 {
			say("client %s has no scope: Cognito gives client_credentials only to a client with one", c.Name)
		}
		if other := places[c.Secret]; other != "" && c.Secret != (config.SecretPlace{}) {
			say("clients %s and %s are written to the same place", other, c.Name)
		}
		places[c.Secret] = c.Name
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}
