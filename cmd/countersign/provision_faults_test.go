package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/fault"
	"github.com/countersign-dev/countersign/cognito"
)

// cutFile is what the runs provision.
const cutFile = `
service: {name: orders}
pool: {region: ap-southeast-1, domain: orders-cut}
resource:
  identifier: https://orders.example.com
  scopes: [{name: orders.read, description: Read orders}, {name: orders.write}]
clients:
  - {name: reader, scopes: [orders.read]}
  - {name: writer, scopes: [orders.read, orders.write], accessTokenValidity: 15m, secret: {file: secrets/writer.json}}
`

// changedFile is what they are changed to: every kind of update, and of deletion.
const changedFile = `
service: {name: orders}
pool: {region: ap-southeast-1, domain: orders-cut, deletionProtection: false}
resource:
  identifier: https://orders.example.com
  name: Orders
  scopes: [{name: orders.read, description: Read all orders}, {name: orders.admin}]
clients:
  - {name: writer, scopes: [orders.read, orders.admin], accessTokenValidity: 10m, secret: {file: secrets/writer.json}}
  - {name: third, scopes: [orders.admin]}
`

// cutSystem is an issuer of its own behind a proxy that cuts, and a directory with a file.
type cutSystem struct {
	t       *testing.T
	dir     string
	service *cognito.Service
	proxy   *fault.Proxy
}

// newCutSystem points the program at the proxy as a user would, through AWS's variables.
func newCutSystem(t *testing.T, file string) *cutSystem {
	t.Helper()
	s := &cutSystem{t: t, dir: t.TempDir()}
	front := httptest.NewServer(nil)
	t.Cleanup(front.Close)
	var err error
	s.service, err = cognito.New(t.Context(), cognito.Config{
		Region: "ap-southeast-1", BaseURL: front.URL, NewKey: func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	})
	if err != nil {
		t.Fatal(err)
	}
	back := httptest.NewServer(cognito.Handler(s.service, cognito.HandlerConfig{}))
	t.Cleanup(back.Close)
	upstream, err := url.Parse(back.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.proxy = fault.New(upstream)
	front.Config.Handler = s.proxy
	s.write(file)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": front.URL, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_REGION": "ap-southeast-1", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return s
}

func (s *cutSystem) write(file string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "countersign.yaml"), []byte(file), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// run types a command, and returns its exit code and all that it printed. No secret may be in that.
func (s *cutSystem) run(args ...string) (int, string) {
	s.t.Helper()
	var out bytes.Buffer
	code := run(s.t.Context(), append(args, "--file", filepath.Join(s.dir, "countersign.yaml")), &out, &out)
	for name, c := range s.stored() {
		for _, secret := range []string{c.ClientSecret, c.Second} {
			if secret != "" && strings.Contains(out.String(), secret) {
				s.t.Fatalf("%q prints the secret of %s", args, name)
			}
		}
	}
	return code, out.String()
}

func (s *cutSystem) mustRun(args ...string) string {
	s.t.Helper()
	s.proxy.Arm("", 0)
	code, out := s.run(args...)
	if code != 0 {
		s.t.Fatalf("%q: exit code %d\n%s", args, code, out)
	}
	return out
}

// storedCredential is what clientcredentials.File would read.
type storedCredential struct {
	ClientID      string          `json:"client_id"`
	ClientSecret  string          `json:"client_secret"`
	TokenEndpoint string          `json:"token_endpoint"`
	Issuer        string          `json:"issuer"`
	Scope         string          `json:"scope"`
	SecretID      string          `json:"client_secret_id"`
	Second        string          `json:"client_secret_2"`
	Rotation      json.RawMessage `json:"rotation"`
}

func (s *cutSystem) stored() map[string]storedCredential {
	s.t.Helper()
	all := map[string]storedCredential{}
	for _, pattern := range []string{"secrets/*.json", ".countersign/clients/*.json"} {
		files, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			s.t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			var c storedCredential
			if err != nil || json.Unmarshal(data, &c) != nil {
				s.t.Fatalf("%s: %v", file, err)
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
				s.t.Fatalf("%s: %v, mode %v", file, err, info.Mode())
			}
			all[strings.TrimSuffix(filepath.Base(file), ".json")] = c
		}
	}
	return all
}

var randomID = regexp.MustCompile(`ap-southeast-1_[A-Za-z0-9]{9}|"(ClientId|LastModifiedDate|CreationDate|Version|CloudFrontDistribution|Arn)":("[^"]*"|[0-9.e+]+)`)

// state is everything that there is, with what is random taken out: two runs that come to the same have the same.
func (s *cutSystem) state() string {
	s.t.Helper()
	var all []any
	pools, err := s.service.ListUserPools(s.t.Context(), cognito.ListUserPoolsInput{MaxResults: 60})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range pools.UserPools {
		pool, err1 := s.service.DescribeUserPool(s.t.Context(), cognito.DescribeUserPoolInput{UserPoolID: p.ID})
		servers, err2 := s.service.ListResourceServers(s.t.Context(), cognito.ListResourceServersInput{UserPoolID: p.ID})
		clients, err3 := s.service.ListUserPoolClients(s.t.Context(), cognito.ListUserPoolClientsInput{UserPoolID: p.ID, MaxResults: 60})
		if err1 != nil || err2 != nil || err3 != nil {
			s.t.Fatal(err1, err2, err3)
		}
		all = append(all, pool, servers, len(clients.UserPoolClients), s.clients(clients.UserPoolClients))
	}
	all = append(all, s.files())
	text, err := json.Marshal(all)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(randomID.ReplaceAll(text, []byte("*")))
}

func (s *cutSystem) clients(list []cognito.UserPoolClientDescription) []any {
	s.t.Helper()
	slices.SortFunc(list, func(a, b cognito.UserPoolClientDescription) int { return strings.Compare(a.ClientName, b.ClientName) })
	var all []any
	for _, c := range list {
		client, err := s.service.DescribeUserPoolClient(s.t.Context(), cognito.DescribeUserPoolClientInput{UserPoolID: c.UserPoolID, ClientID: c.ClientID})
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, client.UserPoolClient)
	}
	return all
}

// files says of each stored credential what it is for, and whether it works.
func (s *cutSystem) files() []string {
	s.t.Helper()
	var all []string
	for name, c := range s.stored() {
		base, _, _ := strings.Cut(s.service.Issuer("x"), "/x")
		endpoint := strings.TrimPrefix(c.TokenEndpoint, base)
		all = append(all, fmt.Sprintf("%s %s %s %s %v", name, endpoint, strings.TrimPrefix(c.Issuer, base), c.Scope, s.works(c)))
	}
	slices.Sort(all)
	return all
}

// works asks the issuer itself for a token with the first secret.
func (s *cutSystem) works(c storedCredential) bool {
	_, err := s.service.Token(s.t.Context(), cognito.TokenRequest{
		PoolID: c.Issuer[strings.LastIndexByte(c.Issuer, '/')+1:], GrantType: "client_credentials", ClientID: c.ClientID, ClientSecret: cognito.Secret(c.ClientSecret),
	})
	return err == nil
}

// TestProvisionIsCutAnywhere cuts a run at each of its calls, in each of the ways in which a call can fail, and runs the
// command again: what there is in the end is what an undisturbed run makes, and a third run finds nothing to change.
func TestProvisionIsCutAnywhere(t *testing.T) {
	for _, story := range []struct {
		name, before, file string
		args               []string
	}{
		{"from nothing", "", cutFile, []string{"provision", "--yes"}},
		{"to another file, pruned", cutFile, changedFile, []string{"provision", "--yes", "--prune"}},
	} {
		t.Run(story.name, func(t *testing.T) {
			prepare := func(t *testing.T) *cutSystem {
				s := newCutSystem(t, story.file)
				if story.before != "" {
					s.write(story.before)
					s.mustRun("provision", "--yes")
					s.write(story.file)
				}
				return s
			}
			undisturbed := prepare(t)
			undisturbed.mustRun(story.args...)
			calls, want := undisturbed.proxy.Calls(), undisturbed.state()
			cuts := 0
			for _, kind := range fault.Kinds {
				for n, call := range calls {
					t.Run(fmt.Sprintf("call %d %s %s", n+1, call, kind), func(t *testing.T) {
						s := cutOnce(t, prepare, kind, n+1, story.args)
						s.mustRun(story.args...)
						if got := s.state(); got != want {
							t.Errorf("after the cut there is\n%s\nand after an undisturbed run\n%s", got, want)
						}
						if out := s.mustRun(story.args...); !strings.Contains(out, "nothing to change") {
							t.Errorf("the third run changes something:\n%s", out)
						}
					})
					cuts++
				}
			}
			t.Logf("%d cuts: %d calls, %d ways; each run again to the same end", cuts, len(calls), len(fault.Kinds))
		})
	}
}

// cutOnce runs a command, in a system of its own, whose call number n fails. The command has to notice, also that of a call that
// was done; only a GET is asked again by itself.
func cutOnce(t *testing.T, prepare func(*testing.T) *cutSystem, kind fault.Kind, n int, args []string) *cutSystem {
	t.Helper()
	for timeout := 150 * time.Millisecond; ; timeout *= 4 {
		s := prepare(t)
		s.proxy.Arm(kind, n)
		more := args
		if kind == fault.HangAfter {
			more = append(slices.Clone(args), "--timeout", timeout.String())
		}
		code, out := s.run(more...)
		switch {
		case !s.proxy.Hit() && kind == fault.HangAfter && timeout < 10*time.Second:
			continue // a machine that is busy was too slow for a call before this one
		case !s.proxy.Hit():
			t.Fatalf("the run did not come to call %d", n)
		case code == 2, code == 0 && strings.HasPrefix(s.proxy.Calls()[n-1], "GET "), code == 0 && args[0] == "rotate":
			// A rotation asks again whether the new secret works, and a call whose answer was lost is looked for.
			return s
		}
		t.Fatalf("exit code %d\n%s", code, out)
	}
}

// TestProvisionKeepsWhatTheFileDoesNotName: Cognito resets what an update does not mention.
func TestProvisionKeepsWhatTheFileDoesNotName(t *testing.T) {
	s := newCutSystem(t, cutFile)
	s.mustRun("provision", "--yes")
	c := s.stored()["writer"]
	pool := c.Issuer[strings.LastIndexByte(c.Issuer, '/')+1:]
	// What somebody sets in the console, beside what the file has.
	if _, err := s.service.UpdateUserPool(t.Context(), cognito.UpdateUserPoolInput{
		UserPoolID: pool, DeletionProtection: "ACTIVE", UserPoolTags: map[string]string{"countersign:service": "orders", "team": "shop"},
		PoolSettings: cognito.PoolSettings{Policies: json.RawMessage(`{"PasswordPolicy":{"MinimumLength":20,"TemporaryPasswordValidityDays":3}}`)},
	}); err != nil {
		t.Fatal(err)
	}
	client, err := s.service.DescribeUserPoolClient(t.Context(), cognito.DescribeUserPoolClientInput{UserPoolID: pool, ClientID: c.ClientID})
	if err != nil {
		t.Fatal(err)
	}
	in := cognito.UpdateUserPoolClientInput{UserPoolID: pool, ClientID: c.ClientID, ClientName: "writer", ClientSettings: client.UserPoolClient.ClientSettings}
	in.RefreshTokenValidity, in.PreventUserExistenceErrors = 7, "ENABLED"
	if _, err := s.service.UpdateUserPoolClient(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	s.write(changedFile)
	s.mustRun("provision", "--yes")
	p, err := s.service.DescribeUserPool(t.Context(), cognito.DescribeUserPoolInput{UserPoolID: pool})
	if err != nil || p.UserPool.DeletionProtection != "INACTIVE" || p.UserPool.UserPoolTags["team"] != "shop" || !strings.Contains(string(p.UserPool.Policies), `"MinimumLength":20`) {
		t.Errorf("the pool's update reset something: %v %+v", err, p.UserPool)
	}
	client, err = s.service.DescribeUserPoolClient(t.Context(), cognito.DescribeUserPoolClientInput{UserPoolID: pool, ClientID: c.ClientID})
	if now := client.UserPoolClient; err != nil || now.RefreshTokenValidity != 7 || now.PreventUserExistenceErrors != "ENABLED" || now.AccessTokenValidity != 10 {
		t.Errorf("the client's update reset something: %v %+v", err, now)
	}
}

// TestProvisionRefusesTwoOfOneName: Cognito lets two machines make an app client of one name at once, and says nothing.
func TestProvisionRefusesTwoOfOneName(t *testing.T) {
	s := newCutSystem(t, cutFile)
	s.mustRun("provision", "--yes")
	pools, err := s.service.ListUserPools(t.Context(), cognito.ListUserPoolsInput{MaxResults: 60})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.service.CreateUserPoolClient(t.Context(), cognito.CreateUserPoolClientInput{UserPoolID: pools.UserPools[0].ID, ClientName: "reader"}); err != nil {
		t.Fatal(err)
	}
	code, out := s.run("provision", "--yes")
	if code != 2 || !strings.Contains(out, `has two app clients named "reader": `) || !strings.Contains(out, "remove the one that is not used") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}
