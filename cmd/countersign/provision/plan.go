package provision

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// NewPlan compares what there shall be with what there is. It does no I/O, and gives the same plan for the same two.
//
// The order is that in which each step finds what it needs and nothing stands open meanwhile: a scope exists before a client
// may ask for it (Cognito: ScopeDoesNotExistException), and no client may ask for it any more before it goes.
func NewPlan(w Want, h Have, places Places, prune bool) Plan {
	p := planner{want: w, have: h, prune: prune, plan: Plan{Steps: []Step{}, Withheld: []Step{}, Notes: h.Notes}}
	p.pool()
	p.domain()
	p.server()
	for _, c := range w.Clients {
		p.client(c)
	}
	for _, c := range w.Clients {
		p.credentials(c, places)
	}
	p.prunable()
	return p.plan
}

type planner struct {
	want  Want
	have  Have
	prune bool
	plan  Plan
}

func (p *planner) add(s Step) { p.plan.Steps = append(p.plan.Steps, s) }

// remove adds a deletion, or says that there would be one.
func (p *planner) remove(s Step) {
	s.Action = Delete
	if p.prune {
		p.add(s)
		return
	}
	p.plan.Withheld = append(p.plan.Withheld, s)
}

// diff collects the fields that differ.
type diff []Field

func (d *diff) compare(name, before, after string) {
	if before != after {
		*d = append(*d, Field{name, before, after})
	}
}

func (p *planner) pool() {
	w, tag := p.want.Pool, "tag "+ServiceTag
	protection := string(types.DeletionProtectionTypeInactive)
	if w.Protected {
		protection = string(types.DeletionProtectionTypeActive)
	}
	if p.have.Pool == nil {
		p.add(Step{Action: Create, Kind: UserPool, Name: w.Name, Fields: []Field{
			{"id", "", afterwards}, {"deletion protection", "", protection}, {tag, "", p.want.Service},
		}})
		return
	}
	var d diff
	d.compare("deletion protection", string(p.have.Pool.DeletionProtection), protection)
	switch owner := p.have.Pool.UserPoolTags[ServiceTag]; {
	case owner == "" && w.ID == "":
		d.compare(tag, "", p.want.Service)
	case !p.have.Owned:
		p.plan.Notes = append(p.plan.Notes, fmt.Sprintf(
			"user pool %s is not tagged %s=%s: clients and resource servers that are not in the file are taken for somebody else's", sdk.ToString(p.have.Pool.Id), ServiceTag, p.want.Service))
	}
	if len(d) > 0 {
		p.add(Step{Action: Update, Kind: UserPool, Name: sdk.ToString(p.have.Pool.Name), ID: sdk.ToString(p.have.Pool.Id), Fields: d})
	}
}

// domain: Cognito: a pool has one prefix domain at most, and a prefix belongs to one pool of a region.
func (p *planner) domain() {
	want, id, now := p.want.Pool.Domain, "", ""
	if p.have.Pool != nil {
		id, now = sdk.ToString(p.have.Pool.Id), sdk.ToString(p.have.Pool.Domain)
	}
	step := Step{Action: Create, Kind: UserPoolDomain, Name: want}
	switch taken := p.have.Domain.PoolID; {
	case taken != "" && taken != id:
		p.plan.Blocked = append(p.plan.Blocked, fmt.Sprintf("the domain %s is that of user pool %s; write another pool.domain in countersign.yaml", want, taken))
	case taken != "" && p.have.Domain.Status != types.DomainStatusTypeActive:
		p.add(Step{Action: Wait, Kind: UserPoolDomain, Name: want, Fields: []Field{{"status", string(p.have.Domain.Status), string(types.DomainStatusTypeActive)}}})
	case taken != "":
	case now != "" && now != want && !p.prune:
		p.plan.Blocked = append(p.plan.Blocked, fmt.Sprintf(
			"the pool has the domain %s, and a second one is not to be had: write it as pool.domain in countersign.yaml, or replace it with --prune, which takes the token endpoint away from running clients until they have the new one", now))
	default:
		if now != "" && now != want {
			p.remove(Step{Kind: UserPoolDomain, Name: now, ID: id})
		}
		p.add(step)
	}
}

// server makes the resource server and adds scopes; scopes that the file does not have stay until prunable.
func (p *planner) server() {
	w := p.want.Server
	have := p.have.server(w.Identifier)
	step := Step{Action: Create, Kind: ResourceServer, Name: w.Identifier}
	var d diff
	before := map[string]string{}
	if have != nil {
		step.Action = Update
		d.compare("name", sdk.ToString(have.Name), w.Name)
		for _, s := range have.Scopes {
			before[sdk.ToString(s.ScopeName)] = sdk.ToString(s.ScopeDescription)
		}
	} else {
		d.compare("name", "", w.Name)
	}
	for _, s := range w.Scopes {
		d.compare("scope "+s.Name, before[s.Name], s.Description)
	}
	if len(d) > 0 {
		step.Fields = d
		p.add(step)
	}
}

// flow is the only flow of a client.
const flow = types.OAuthFlowTypeClientCredentials

func (p *planner) client(w WantClient) {
	have := p.have.client(w.Name)
	if have == nil {
		p.add(Step{Action: Create, Kind: AppClient, Name: w.Name, Fields: []Field{
			{"id", "", afterwards}, {"flows", "", string(flow)}, {"scopes", "", sorted(w.Scopes)}, {"access token validity", "", shortDuration(w.Validity)},
		}})
		return
	}
	var d diff
	var flows []string
	for _, f := range have.Full.AllowedOAuthFlows {
		flows = append(flows, string(f))
	}
	d.compare("flows", sorted(flows), string(flow))
	// Cognito: without this flag a client that has flow and scopes gets invalid_grant.
	d.compare("flows allowed", strconv.FormatBool(sdk.ToBool(have.Full.AllowedOAuthFlowsUserPoolClient)), "true")
	d.compare("scopes", sorted(have.Full.AllowedOAuthScopes), sorted(w.Scopes))
	d.compare("access token validity", shortDuration(validity(have.Full)), shortDuration(w.Validity))
	if len(d) > 0 {
		p.add(Step{Action: Update, Kind: AppClient, Name: w.Name, ID: have.ID, Fields: d})
	}
}

// credentials compares what is stored for the client's service with what it needs.
func (p *planner) credentials(w WantClient, places Places) {
	stored, have := p.have.Stored[w.Name], p.have.client(w.Name)
	at := Addresses{Issuer: afterwards, TokenEndpoint: afterwards}
	id := afterwards
	if have != nil {
		id = have.ID
	}
	if p.have.Pool != nil {
		at = p.have.Addresses
	}
	place, _ := places.Of(w)
	if pool := p.have.Taken[w.Name]; pool != "" {
		p.plan.Blocked = append(p.plan.Blocked, fmt.Sprintf(
			"client %s: %s holds the credentials of a client of user pool %s, which is still there, as that of another environment; name another place in clients[].secret, or remove what is stored there",
			w.Name, place, pool))
		return
	}
	step := Step{Action: Update, Kind: Credentials, Name: w.Name, Place: place.String()}
	if !stored.Found {
		step.Action = Create
	}
	var d diff
	c := stored.Credential
	d.compare("client_id", c.ClientID, id)
	d.compare("token_endpoint", c.TokenEndpoint, at.TokenEndpoint)
	d.compare("issuer", c.Issuer, at.Issuer)
	d.compare("scope", c.Scope, strings.Join(w.Scopes, " "))
	if have == nil || !have.Live {
		d = append(d, Field{"client_secret", "", "(written, not shown)"})
	}
	if stored.Leaving {
		d = append(d, Field{"deletion", "scheduled", "cancelled"})
	}
	if stored.Loose != "" {
		d.compare("permissions", stored.Loose, "mode 0600")
	}
	if len(d) > 0 {
		step.Fields = d
		p.add(step)
	}
}

// prunable deletes, or lists, what the file does not have: clients first, for a scope goes when nobody may ask for it.
// In a pool of somebody else only the scopes of the own resource server are in question.
func (p *planner) prunable() {
	if p.have.Pool == nil {
		return
	}
	if p.have.Owned {
		for _, c := range p.have.Clients {
			if !slices.ContainsFunc(p.want.Clients, func(w WantClient) bool { return w.Name == c.Name }) {
				p.remove(Step{Kind: AppClient, Name: c.Name, ID: c.ID})
			}
		}
	}
	for _, s := range p.have.Servers {
		identifier := sdk.ToString(s.Identifier)
		switch {
		case identifier == p.want.Server.Identifier:
			p.prunableScopes(s)
		case p.have.Owned:
			p.remove(Step{Kind: ResourceServer, Name: identifier})
		}
	}
}

func (p *planner) prunableScopes(have types.ResourceServerType) {
	step := Step{Kind: ScopesOf, Name: sdk.ToString(have.Identifier)}
	for _, s := range have.Scopes {
		name := sdk.ToString(s.ScopeName)
		if !p.want.Server.has(name) {
			step.scopes = append(step.scopes, name)
			step.Fields = append(step.Fields, Field{"scope " + name, sdk.ToString(s.ScopeDescription), ""})
		}
	}
	if len(step.scopes) > 0 {
		p.remove(step)
	}
}

func (s WantServer) has(scope string) bool {
	for _, w := range s.Scopes {
		if w.Name == scope {
			return true
		}
	}
	return false
}

func sorted(list []string) string {
	list = slices.Clone(list)
	slices.Sort(list)
	return strings.Join(list, " ")
}
