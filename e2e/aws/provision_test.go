package aws

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/fault"
)

const ordersFile = `
service: {name: orders}
pool: {region: ap-southeast-1, domain: orders-demo}
resource:
  identifier: https://orders.example.com
  scopes: [{name: orders.read, description: Read orders}, {name: orders.write}]
clients:
  - {name: reader, scopes: [orders.read], secret: {secretsManager: orders/reader}}
  - {name: writer, scopes: [orders.read, orders.write], accessTokenValidity: 15m}
`

// kinds are the ways in which a call fails here. One that changes nothing is the same to a run whether its answer is lost or it
// was never sent. What they leave out, the program's own tests have.
func kinds(call string) []fault.Kind {
	for _, read := range []string{"Describe", "List", "GetSecretValue", "GET "} {
		if strings.HasPrefix(call, read) {
			return []fault.Kind{fault.Throttle, fault.Cut}
		}
	}
	return []fault.Kind{fault.Throttle, fault.ServerError, fault.Cut, fault.CutAfter, fault.HangAfter}
}

// TestProvisionOnMoto provisions Cognito and Secrets Manager as moto plays them, and cuts the run at each of its calls in each
// of the ways in which a call can fail: the next run comes to the same end, with nothing twice.
func TestProvisionOnMoto(t *testing.T) {
	m := moto{t, startMoto(t)}
	p := newPlace(t, ordersFile, fault.New(m.url))
	contains(t, p.mustRun("provision", "--plan"), "7 to create, 0 to update, 0 to delete")
	p.mustRun("provision", "--yes")
	calls, want := p.proxy.Calls(), p.state(m)
	contains(t, p.mustRun("provision"), "nothing to change")
	if want != firstState {
		t.Errorf("there is\n%s\nand not\n%s", want, firstState)
	}
	cuts := 0
	for n, call := range calls {
		for _, kind := range kinds(call) {
			t.Run(fmt.Sprintf("call %d %s %s", n+1, call, kind), func(t *testing.T) {
				m, p := moto{t, m.url}, *p
				p.t = t
				m.reset()
				p.clear()
				p.cut(kind, n+1, "provision", "--yes")
				p.mustRun("provision", "--yes")
				if got := p.state(m); got != want {
					t.Errorf("after the cut there is\n%s\nand after an undisturbed run\n%s", got, want)
				}
				contains(t, p.mustRun("provision"), "nothing to change")
			})
			cuts++
		}
	}
	t.Logf("%d cuts of %d calls: %s", cuts, len(calls), strings.Join(calls, " "))
}

// TestAccount insists on the account of the file. That of moto is 123456789012.
func TestAccount(t *testing.T) {
	m := moto{t, startMoto(t)}
	p := newPlace(t, strings.Replace(ordersFile, "domain:", `account: "123456789012", domain:`, 1), fault.New(m.url))
	contains(t, p.mustRun("provision", "--plan"), "7 to create, 0 to update, 0 to delete")
	p = newPlace(t, strings.Replace(ordersFile, "domain:", `account: "210987654321", domain:`, 1), fault.New(m.url))
	for _, args := range [][]string{{"provision", "--yes"}, {"rotate", "reader"}, {"destroy", "--yes", "--keep", "kubernetes"}} {
		code, out := p.run(args...)
		if code != 2 {
			t.Errorf("%q: exit code %d", args, code)
		}
		contains(t, out, "pool.account: insists on 210987654321, and the AWS credentials are those of account 123456789012; choose others, with AWS_PROFILE")
	}
	if pools := list(m.cognito("ListUserPools", `{"MaxResults":60}`), "UserPools"); len(pools) > 0 {
		t.Errorf("a pool was made in the wrong account: %v", pools)
	}
}

// clear removes what a run has written.
func (p *place) clear() {
	p.t.Helper()
	if err := os.RemoveAll(filepath.Join(p.dir, ".countersign")); err != nil {
		p.t.Fatal(err)
	}
}

// firstState is what ordersFile leads to.
const firstState = `pool orders ACTIVE map[countersign:service:orders] orders-demo
server https://orders.example.com orders orders.read orders.write
client reader [client_credentials] true [https://orders.example.com/orders.read] 1 map[AccessToken:hours] [ALLOW_REFRESH_TOKEN_AUTH]
client writer [client_credentials] true [https://orders.example.com/orders.read https://orders.example.com/orders.write] 15 map[AccessToken:minutes] [ALLOW_REFRESH_TOKEN_AUTH]
secret orders/reader countersign:client=reader countersign:pool=* countersign:service=orders
orders/reader https://cognito-idp.ap-southeast-1.amazonaws.com/* https://orders-demo.auth.ap-southeast-1.amazoncognito.com/oauth2/token https://orders.example.com/orders.read the client's
writer.json https://cognito-idp.ap-southeast-1.amazonaws.com/* https://orders-demo.auth.ap-southeast-1.amazoncognito.com/oauth2/token https://orders.example.com/orders.read https://orders.example.com/orders.write the client's`

var poolID = regexp.MustCompile(`ap-southeast-1_\w+`)

// state tells what moto has and what is stored, a line each.
func (p *place) state(m moto) string {
	p.t.Helper()
	var lines []string
	secrets := map[string]string{} // by client id
	for _, d := range list(m.cognito("ListUserPools", `{"MaxResults":60}`), "UserPools") {
		id := quoted(text(d, "Id"))
		pool, _ := m.cognito("DescribeUserPool", `{"UserPoolId":`+id+`}`)["UserPool"].(map[string]any)
		lines = append(lines, fmt.Sprintf("pool %s %s %v %s", pool["Name"], pool["DeletionProtection"], pool["UserPoolTags"], pool["Domain"]))
		for _, s := range list(m.cognito("ListResourceServers", `{"MaxResults":50,"UserPoolId":`+id+`}`), "ResourceServers") {
			line := "server " + text(s, "Identifier") + " " + text(s, "Name")
			for _, scope := range list(s, "Scopes") {
				line += " " + text(scope, "ScopeName")
			}
			lines = append(lines, line)
		}
		var clients []string
		for _, d := range list(m.cognito("ListUserPoolClients", `{"MaxResults":60,"UserPoolId":`+id+`}`), "UserPoolClients") {
			c, _ := m.cognito("DescribeUserPoolClient", `{"UserPoolId":`+id+`,"ClientId":`+quoted(text(d, "ClientId"))+`}`)["UserPoolClient"].(map[string]any)
			clients = append(clients, fmt.Sprintf("client %s %v %v %v %v %v %v", c["ClientName"], c["AllowedOAuthFlows"], c["AllowedOAuthFlowsUserPoolClient"],
				c["AllowedOAuthScopes"], c["AccessTokenValidity"], c["TokenValidityUnits"], c["ExplicitAuthFlows"]))
			secrets[text(c, "ClientId")] = text(c, "ClientSecret")
		}
		slices.Sort(clients)
		lines = append(lines, clients...)
	}
	for _, s := range list(m.secrets("ListSecrets", `{}`), "SecretList") {
		var tags []string
		for _, tag := range list(s, "Tags") {
			tags = append(tags, text(tag, "Key")+"="+text(tag, "Value"))
		}
		slices.Sort(tags)
		lines = append(lines, "secret "+text(s, "Name")+" "+strings.Join(tags, " "), described(text(s, "Name"), m.credential(text(s, "Name")), secrets))
	}
	return poolID.ReplaceAllString(strings.Join(append(lines, p.files(secrets)...), "\n"), "*")
}

func (p *place) files(secrets map[string]string) []string {
	p.t.Helper()
	files, err := filepath.Glob(filepath.Join(p.dir, ".countersign", "clients", "*.json"))
	if err != nil {
		p.t.Fatal(err)
	}
	var lines []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		var c map[string]any
		if err != nil || json.Unmarshal(data, &c) != nil {
			p.t.Fatalf("%s: %v", file, err)
		}
		lines = append(lines, described(filepath.Base(file), c, secrets))
	}
	return lines
}

// described says of a stored credential what it is for, and whether it holds the secret that Cognito has.
func described(name string, c map[string]any, secrets map[string]string) string {
	whose := "nobody's"
	if secret := secrets[text(c, "client_id")]; secret != "" && secret == text(c, "client_secret") {
		whose = "the client's"
	}
	return fmt.Sprintf("%s %s %s %s %s", name, c["issuer"], c["token_endpoint"], c["scope"], whose)
}
