package provision_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

const api = "https://orders.example.com"

func wanted() provision.Want {
	return provision.Want{
		Service: "orders", Region: "ap-southeast-1",
		Pool:   provision.WantPool{Name: "orders", Domain: "orders", Protected: true},
		Server: provision.WantServer{Identifier: api, Name: "orders", Scopes: []config.Scope{{Name: "read", Description: "Read"}}},
		Clients: []provision.WantClient{
			{Name: "reader", Scopes: []string{api + "/read"}, Validity: time.Hour},
		},
	}
}

// matching is what there is when nothing is to be done.
func matching() provision.Have {
	at := provision.Addresses{Issuer: "https://issuer.example.com/p", TokenEndpoint: "https://issuer.example.com/p/oauth2/token"}
	return provision.Have{
		Pool: &types.UserPoolType{
			Id: sdk.String("ap-southeast-1_p"), Name: sdk.String("orders"), Domain: sdk.String("orders"),
			DeletionProtection: types.DeletionProtectionTypeActive, UserPoolTags: map[string]string{provision.ServiceTag: "orders"},
		},
		Owned:  true,
		Domain: provision.Domain{PoolID: "ap-southeast-1_p", Status: types.DomainStatusTypeActive},
		Servers: []types.ResourceServerType{{
			Identifier: sdk.String(api), Name: sdk.String("orders"),
			Scopes: []types.ResourceServerScopeType{{ScopeName: sdk.String("read"), ScopeDescription: sdk.String("Read")}},
		}},
		Clients: []provision.HaveClient{{ID: "c1", Name: "reader", Live: true, Full: &types.UserPoolClientType{
			ClientId: sdk.String("c1"), ClientName: sdk.String("reader"), ClientSecret: sdk.String("s"),
			AllowedOAuthFlows: []types.OAuthFlowType{"client_credentials"}, AllowedOAuthFlowsUserPoolClient: sdk.Bool(true), AllowedOAuthScopes: []string{api + "/read"},
		}}},
		Addresses: at,
		Stored: map[string]provision.Stored{"reader": {Found: true, Credential: provision.Credential{
			ClientID: "c1", ClientSecret: "s", TokenEndpoint: at.TokenEndpoint, Issuer: at.Issuer, Scope: api + "/read",
		}}},
	}
}

// lines is a plan as text, a line a step.
func lines(p provision.Plan) string {
	var all []string
	step := func(head string, s provision.Step) {
		line := head + string(s.Action) + " " + string(s.Kind) + " " + s.Name
		for _, f := range s.Fields {
			line += " [" + f.Name + ": " + f.Before + " > " + f.After + "]"
		}
		all = append(all, line)
	}
	for _, s := range p.Steps {
		step("", s)
	}
	for _, s := range p.Withheld {
		step("withheld ", s)
	}
	for _, text := range p.Blocked {
		all = append(all, "blocked "+text)
	}
	return strings.Join(all, "\n")
}

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*provision.Want, *provision.Have)
		prune  bool
		want   string
	}{
		{"nothing to change", func(*provision.Want, *provision.Have) {}, true, ""},
		{"cognito: invalid_grant without the flag", func(_ *provision.Want, h *provision.Have) {
			h.Clients[0].Full.AllowedOAuthFlowsUserPoolClient = nil
		}, false, "update app client reader [flows allowed: false > true]"},
		{"a life in minutes is the same in hours", func(_ *provision.Want, h *provision.Have) {
			h.Clients[0].Full.AccessTokenValidity = sdk.Int32(60)
			h.Clients[0].Full.TokenValidityUnits = &types.TokenValidityUnitsType{AccessToken: types.TimeUnitsTypeMinutes}
		}, false, ""},
		{"another life", func(w *provision.Want, _ *provision.Have) { w.Clients[0].Validity = 90 * time.Second }, false,
			"update app client reader [access token validity: 1h > 1m30s]"},
		{"protection off", func(w *provision.Want, _ *provision.Have) { w.Pool.Protected = false }, false,
			"update user pool orders [deletion protection: ACTIVE > INACTIVE]"},
		{"a scope that the file does not have", func(w *provision.Want, _ *provision.Have) {
			w.Server.Scopes = []config.Scope{{Name: "write", Description: "Write"}}
			w.Clients[0].Scopes = []string{api + "/write"}
		}, false, `update resource server https://orders.example.com [scope write:  > Write]
update app client reader [scopes: https://orders.example.com/read > https://orders.example.com/write]
update credentials reader [scope: https://orders.example.com/read > https://orders.example.com/write]
withheld delete scopes https://orders.example.com [scope read: Read > ]`},
		{"pruned: a scope goes after the client that asked for it", func(w *provision.Want, h *provision.Have) {
			w.Server.Scopes = nil
			w.Clients = nil
		}, true, `delete app client reader
delete scopes https://orders.example.com [scope read: Read > ]`},
		{"a pool of somebody else: nothing but the file's own is in question", func(w *provision.Want, h *provision.Have) {
			w.Pool.ID = "ap-southeast-1_p"
			h.Owned, h.Pool.UserPoolTags = false, nil
			h.Clients = append(h.Clients, provision.HaveClient{ID: "c2", Name: "theirs"})
			h.Servers = append(h.Servers, types.ResourceServerType{Identifier: sdk.String("https://theirs.example.com")})
		}, true, ""},
		{"the domain is another pool's", func(_ *provision.Want, h *provision.Have) { h.Domain.PoolID = "ap-southeast-1_q" }, false,
			"blocked the domain orders is that of user pool ap-southeast-1_q; write another pool.domain in countersign.yaml"},
		{"cognito: one prefix domain", func(w *provision.Want, h *provision.Have) {
			w.Pool.Domain, h.Domain = "other", provision.Domain{}
		}, true, "delete domain orders\ncreate domain other"},
		{"the domain is on its way", func(_ *provision.Want, h *provision.Have) { h.Domain.Status = types.DomainStatusTypeCreating }, false,
			"wait domain orders [status: CREATING > ACTIVE]"},
		{"the stored secret is dead", func(_ *provision.Want, h *provision.Have) { h.Clients[0].Live = false }, false,
			"update credentials reader [client_secret:  > (written, not shown)]"},
		{"others may read it", func(_ *provision.Want, h *provision.Have) {
			s := h.Stored["reader"]
			s.Loose = "mode 0644"
			h.Stored["reader"] = s
		}, false, "update credentials reader [permissions: mode 0644 > mode 0600]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, h := wanted(), matching()
			c.change(&w, &h)
			plan := provision.NewPlan(w, h, provision.Places{}, c.prune)
			if got := lines(plan); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if again := provision.NewPlan(w, h, provision.Places{}, c.prune); !reflect.DeepEqual(plan, again) {
				t.Error("the second plan differs")
			}
			text, err := json.Marshal(plan)
			if err != nil || strings.Contains(string(text), `"s"`) {
				t.Errorf("the plan has the secret in it: %s %v", text, err)
			}
		})
	}
}

func TestPlanOfADomainThatWouldBeReplaced(t *testing.T) {
	w, h := wanted(), matching()
	w.Pool.Domain, h.Domain = "other", provision.Domain{}
	plan := provision.NewPlan(w, h, provision.Places{}, false)
	if len(plan.Blocked) != 1 || !strings.Contains(plan.Blocked[0], "--prune") || len(plan.Steps) > 1 {
		t.Errorf("%s", lines(plan))
	}
}
