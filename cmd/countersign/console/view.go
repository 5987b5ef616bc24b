package console

import (
	"slices"
	"time"
)

// A View is everything that the page shows. Its strings may be hostile: a name in it was chosen by whoever could make a
// resource server or an app client.
type View struct {
	Issuer        string // of the tokens, as their iss claim has it
	TokenEndpoint string
	PoolID        string
	PoolName      string
	Domain        string // of the pool, "" for none
	Resource      string // the identifier under which the service knows its scopes
	StateFlag     string // value of --state that the program's commands need; "" for none
	Addresses     []Address

	Clients         []Client
	MoreClients     int // app clients that are not shown
	Routes          []Route
	ResourceServers []ResourceServer
	Proof           *Proof // nil when no proof has run
}

// An Address is a place where a part of the running system answers.
type Address struct{ Name, URL string }

// A Client is an app client, without its secret.
type Client struct {
	ID, Name  string
	Scopes    []string // of AllowedOAuthScopes, in full, those that a token can have
	Lost      []string // the others: no resource server has them any more
	Flows     []string // AllowedOAuthFlows
	TokenLife time.Duration
	HasSecret bool
	// Variable is the environment variable in which the user has id:secret in Base64, "" for none.
	Variable string
	// NoToken says why the client cannot get an access token of its own. It is "" for a client that can.
	NoToken string
}

// A Route is one row of the matrix.
type Route struct {
	Method string // "" is every method
	Host   string // "" is every host
	Path   string
	Rule   string // as the service's code writes it
	Source string // file:line of the registration
	Reason string // of a public route
	// Anyone is the answer to a caller without a token, Cells the answers to Clients in their order.
	Anyone Cell
	Cells  []Cell
}

// A Cell is what one caller gets from one route.
type Cell struct {
	Verdict Verdict
	Detail  string // the scopes that let in, or what is lacking
}

// A Verdict is the kind of an answer.
type Verdict string

// The verdicts. Their text is what the page shows.
const (
	Allowed Verdict = "allowed"
	Refused Verdict = "refused"  // 403, or 401 without a token
	Public  Verdict = "public"   // nobody needs a token
	Open    Verdict = "open"     // the rule would refuse, but it is only reported
	NoToken Verdict = "no token" // the issuer gives this client none
)

// A ResourceServer is an API that the issuer knows, with its scopes.
type ResourceServer struct {
	Identifier, Name string
	Scopes           []Scope
}

// A Scope is a custom scope of a resource server.
type Scope struct{ Name, Description string }

// A Proof is the last run of the matrix against a target.
type Proof struct {
	Target string
	At     time.Time
	Rows   []ProofRow
}

// A ProofRow is one case: what the policy wants and what the service answered.
type ProofRow struct {
	Route, Case string
	Want        string
	Got         string // "" when the service was not asked
	OK          bool   // no reason to fail
	Note        string
}

// An Outcome is what is known about a case after a proof.
type Outcome string

// The outcomes. Their text is what the page shows.
const (
	Proved     Outcome = "proved"     // the answer was the wanted one
	Different  Outcome = "different"  // it was another one
	Unprovable Outcome = "unprovable" // there is nothing that could be sent
	NotRun     Outcome = "not run"    // something failed on the way
)

// Outcome tells an answer as it was wanted from the absence of one: what was not asked is not proved.
func (r ProofRow) Outcome() Outcome {
	switch {
	case r.OK && r.Got != "":
		return Proved
	case r.OK:
		return Unprovable
	case r.Got != "":
		return Different
	}
	return NotRun
}

// Count is how many rows have the outcome.
func (p *Proof) Count(o Outcome) int {
	n := 0
	for _, row := range p.Rows {
		if row.Outcome() == o {
			n++
		}
	}
	return n
}

// Whole reports whether something was proved and nothing failed.
func (p *Proof) Whole() bool {
	return p.Count(Proved) > 0 && p.Count(Different) == 0 && p.Count(NotRun) == 0
}

// PublicRoutes are the routes that nobody needs a token for, by rule or because the rule is only reported.
func (v View) PublicRoutes() []Route {
	return slices.DeleteFunc(slices.Clone(v.Routes), func(r Route) bool { return r.Anyone.Verdict == Refused })
}

// words is for how many clients the matrix has a column of words; for more it has one of signs, so that a screen shows them all.
const words = 6

// Wide reports whether the matrix is one of signs.
func (v View) Wide() bool { return len(v.Clients) > words }

// May returns the routes that the client of that index may call and not everybody.
func (v View) May(client int) []Route {
	return slices.DeleteFunc(slices.Clone(v.Routes), func(r Route) bool { return r.Cells[client].Verdict != Allowed })
}

// Callers counts the clients that are let in, or everybody is.
func (r Route) Callers() int {
	n := 0
	for _, cell := range r.Cells {
		if cell.Verdict == Allowed || cell.Verdict == Public || cell.Verdict == Open {
			n++
		}
	}
	return n
}

// Example is a client for the example of a token request: the first that the token endpoint serves. Without one it is the
// zero Client.
func (v View) Example() Client {
	for _, c := range v.Clients {
		if c.NoToken == "" && len(c.Scopes) > 0 && slices.Contains(c.Flows, "client_credentials") {
			return c
		}
	}
	return Client{}
}
