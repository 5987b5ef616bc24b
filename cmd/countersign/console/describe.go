package console

import (
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cognito"
)

// A Source is what [Describe] makes a [View] of.
type Source struct {
	Policy    countersign.Policy // of the running service
	ClientIDs []string           // Config.ClientIDs of its guard

	Pool            cognito.UserPool
	TokenEndpoint   string
	ResourceServers []cognito.ResourceServer
	Clients         []cognito.UserPoolClient // their secrets are not read

	// MoreClients counts the app clients of the pool that are not in Clients.
	MoreClients int

	StateFlag string                     // value of --state that the program's commands need; "" for none
	Variable  func(client string) string // see [Client]; nil for none
	Addresses []Address
	Proof     *Proof
}

// Describe works out who may call what. It reads the policy as the guard does, but without a token: a client is allowed
// where a token with all its scopes would be.
func Describe(s Source) View {
	v := View{
		Issuer:        s.Policy.Issuer,
		TokenEndpoint: s.TokenEndpoint,
		PoolID:        s.Pool.ID,
		PoolName:      s.Pool.Name,
		Domain:        s.Pool.Domain,
		Resource:      s.Policy.Resource,
		StateFlag:     s.StateFlag,
		Addresses:     slices.Clone(s.Addresses),
		MoreClients:   s.MoreClients,
		Proof:         s.Proof,
	}
	exists := existing(s.ResourceServers)
	for _, c := range s.Clients {
		client := describeClient(c, exists)
		if s.Variable != nil {
			client.Variable = s.Variable(c.ClientName)
		}
		v.Clients = append(v.Clients, client)
	}
	slices.SortStableFunc(v.Clients, func(a, b Client) int { return strings.Compare(a.Name, b.Name) })
	for _, r := range s.ResourceServers {
		server := ResourceServer{Identifier: r.Identifier, Name: r.Name}
		for _, sc := range r.Scopes {
			server.Scopes = append(server.Scopes, Scope{sc.ScopeName, sc.ScopeDescription})
		}
		v.ResourceServers = append(v.ResourceServers, server)
	}
	for _, r := range s.Policy.Routes {
		route := Route{
			Method: r.Method, Host: r.Host, Path: r.Path,
			Rule: r.Rule.String(), Source: r.Source, Reason: r.Rule.Reason(),
			Anyone: anyone(r.Rule),
		}
		for _, c := range v.Clients {
			route.Cells = append(route.Cells, s.cell(r.Rule, c))
		}
		v.Routes = append(v.Routes, route)
	}
	return v
}

// existing are the scopes that the resource servers know, in full.
func existing(servers []cognito.ResourceServer) map[string]bool {
	scopes := map[string]bool{}
	for _, r := range servers {
		for _, sc := range r.Scopes {
			scopes[r.Identifier+"/"+sc.ScopeName] = true
		}
	}
	return scopes
}

func describeClient(c cognito.UserPoolClient, exists map[string]bool) Client {
	client := Client{
		ID: c.ClientID, Name: c.ClientName,
		Flows:     slices.Clone(c.AllowedOAuthFlows),
		TokenLife: tokenLife(c.ClientSettings),
		HasSecret: c.ClientSecret != "",
	}
	for _, scope := range c.AllowedOAuthScopes {
		// Cognito: a scope whose resource server has lost it stays in the client's settings and out of its tokens.
		if exists[scope] {
			client.Scopes = append(client.Scopes, scope)
		} else {
			client.Lost = append(client.Lost, scope)
		}
	}
	// Cognito: a token comes from the token endpoint, by the client_credentials flow, or from GetClientToken, by its own.
	granted := c.AllowedOAuthFlowsUserPoolClient && slices.Contains(c.AllowedOAuthFlows, "client_credentials")
	switch {
	case !client.HasSecret:
		client.NoToken = "it has no secret"
	case !granted && !slices.Contains(c.ExplicitAuthFlows, "ALLOW_CLIENT_TOKEN_AUTH"):
		client.NoToken = "client_credentials is not among its flows"
	}
	return client
}

// tokenLife is the life of an access token. Cognito: the default is one hour, and a number without a unit is in hours.
func tokenLife(s cognito.ClientSettings) time.Duration {
	if s.AccessTokenValidity == 0 {
		return time.Hour
	}
	unit := time.Hour
	if s.TokenValidityUnits != nil {
		switch s.TokenValidityUnits.AccessToken {
		case "seconds":
			unit = time.Second
		case "minutes":
			unit = time.Minute
		case "days":
			unit = 24 * time.Hour
		}
	}
	return time.Duration(s.AccessTokenValidity) * unit
}

// anyone is the answer to a caller without a token.
func anyone(rule countersign.Rule) Cell {
	switch {
	case rule.IsPublic():
		return Cell{Verdict: Public}
	case rule.IsReport():
		return Cell{Open, "the rule is only reported"}
	}
	return Cell{Refused, "401"}
}

// cell is the answer to a client that brings a token with all its scopes.
func (s Source) cell(rule countersign.Rule, c Client) Cell {
	if rule.IsPublic() {
		return Cell{Verdict: Public}
	}
	cell := s.decide(rule, c)
	if rule.IsReport() && cell.Verdict != Allowed {
		// The most important thing on the page: such a route looks protected in the code, and is not.
		return Cell{Open, "only reported: " + cell.Detail}
	}
	return cell
}

func (s Source) decide(rule countersign.Rule, c Client) Cell {
	if c.NoToken != "" {
		return Cell{NoToken, c.NoToken}
	}
	if why := s.foreign(c); why != "" {
		return Cell{Refused, why}
	}
	var lacks []string
	for _, need := range rule.Needs() {
		if need.Client != "" && need.Client != c.ID {
			continue
		}
		missing := s.missing(need, c)
		if len(missing) == 0 {
			return Cell{Allowed, grant(need)}
		}
		if lacks == nil || len(missing) < len(lacks) {
			lacks = missing
		}
	}
	if lacks == nil {
		return Cell{Refused, "not its client"}
	}
	return Cell{Refused, "lacks " + strings.Join(lacks, ", ")}
}

// foreign says why no token of the client is meant for this service, or "".
func (s Source) foreign(c Client) string {
	if len(s.ClientIDs) > 0 && !slices.Contains(s.ClientIDs, c.ID) {
		return "not a client of this service"
	}
	// Cognito: a token names no audience. It is meant for this service if one of its scopes is.
	if s.Policy.Profile != countersign.RFC9068 && !slices.ContainsFunc(c.Scopes, s.owns) {
		return "no scope of this service"
	}
	return ""
}

// owns reports whether a full scope is one of this service: the resource, a slash, and a name without one.
func (s Source) owns(scope string) bool {
	name, ok := strings.CutPrefix(scope, s.Policy.Resource+"/")
	return ok && name != "" && !strings.Contains(name, "/")
}

// missing is what the client lacks of one need's scopes.
func (s Source) missing(need countersign.Need, c Client) []string {
	var lacks []string
	for _, name := range need.Scopes {
		if !slices.Contains(c.Scopes, s.Policy.FullScope(name)) {
			lacks = append(lacks, name)
		}
	}
	return lacks
}

// grant says what lets a caller in.
func grant(need countersign.Need) string {
	switch {
	case len(need.Scopes) == 0 && need.Client == "":
		return "any token of its own"
	case len(need.Scopes) == 0:
		return "by its id"
	case need.Client == "":
		return "with " + strings.Join(need.Scopes, " and ")
	}
	return "by its id, with " + strings.Join(need.Scopes, " and ")
}
