package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/cmd/countersign/serve"
)

// asAWS makes the running issuer the Amazon Cognito of the environment.
func asAWS(t *testing.T, r *runningIssuer) {
	t.Helper()
	keys, err := serve.ReadAccessKeys(filepath.Join(filepath.Dir(r.config), "keys.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": r.issuer, "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_ACCESS_KEY_ID": keys[0].AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys[0].SecretAccessKey.Reveal(), "AWS_SESSION_TOKEN": "",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
}

// makePool has one of each thing, and two pages of app clients.
func makePool(t *testing.T, api *idp.Client) (pool string, client types.UserPoolClientType) {
	t.Helper()
	made, err := api.CreateUserPool(t.Context(), &idp.CreateUserPoolInput{PoolName: aws.String("0123"), UserPoolTags: map[string]string{"team": "true"}})
	if err != nil {
		t.Fatal(err)
	}
	id := made.UserPool.Id
	_, err = api.CreateResourceServer(t.Context(), &idp.CreateResourceServerInput{
		UserPoolId: id, Identifier: aws.String("https://api.example.com"), Name: aws.String("api"),
		Scopes: []types.ResourceServerScopeType{{ScopeName: aws.String("demo.read"), ScopeDescription: aws.String("yes")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.CreateUserPoolDomain(t.Context(), &idp.CreateUserPoolDomainInput{UserPoolId: id, Domain: aws.String("demo-prefix")}); err != nil {
		t.Fatal(err)
	}
	for range 61 {
		out, err := api.CreateUserPoolClient(t.Context(), &idp.CreateUserPoolClientInput{
			UserPoolId: id, ClientName: aws.String("machine"), GenerateSecret: true,
			AllowedOAuthFlows: []types.OAuthFlowType{"client_credentials"}, AllowedOAuthFlowsUserPoolClient: true,
			AllowedOAuthScopes: []string{"https://api.example.com/demo.read"}, AccessTokenValidity: aws.Int32(5),
			TokenValidityUnits: &types.TokenValidityUnitsType{AccessToken: "minutes"},
		})
		if err != nil {
			t.Fatal(err)
		}
		client = *out.UserPoolClient
	}
	return *id, client
}

// TestPoolsTravel: a pool is read from "AWS", which is an issuer of ours with AWS' SDK before it, into another issuer that runs,
// and is the same there and in every file.
func TestPoolsTravel(t *testing.T) {
	origin := startIssuer(t, t.TempDir(), "")
	pool, client := makePool(t, origin.api())
	there := startIssuer(t, t.TempDir(), "")
	asAWS(t, origin)
	dir := t.TempDir()

	if out := done(t, "pool", "import", "--from-aws", pool, "--config", there.config); out != "imported user pool "+pool+"\n" {
		t.Errorf("got %q", out)
	}
	// The issuer that runs has it: the client gets a token with the secret that it had.
	for !strings.Contains(there.get(there.issuer+"/"+pool+"/.well-known/jwks.json"), `"kid"`) {
		if t.Context().Err() != nil {
			t.Fatal("the issuer does not follow")
		}
	}
	got, err := there.api().DescribeUserPoolClient(t.Context(), &idp.DescribeUserPoolClientInput{UserPoolId: &pool, ClientId: client.ClientId})
	if err != nil || *got.UserPoolClient.ClientSecret != *client.ClientSecret {
		t.Errorf("the client has another secret, %v", err)
	}

	secrets := []string{"--with-secrets", "--to"}
	files := map[string][]string{
		"aws":    {"pool", "export", pool, "--from-aws"},
		"origin": {"pool", "export", pool, "--config", origin.config},
		"there":  {"pool", "export", pool, "--config", there.config},
	}
	want := done(t, files["origin"]...)
	if strings.Contains(want, *client.ClientSecret) || !strings.Contains(want, `Name: "0123"`) || !strings.Contains(want, `team: "true"`) {
		t.Errorf("got\n%s", want)
	}
	for name, args := range files {
		if got := done(t, args...); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		path := filepath.Join(dir, name+".yaml")
		done(t, append(append(args, secrets...), path)...)
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), *client.ClientSecret) {
			t.Errorf("%s: %v, or no secret", name, err)
		}
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}

	// From the file into a store that no issuer has opened yet, and out again.
	config := filepath.Join(dir, "issuer.yaml")
	if err := os.WriteFile(config, []byte(issuerYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "origin.yaml")
	if out := done(t, "pool", "import", file, "--config", config, "--output", "json"); out != `{"newSecrets":[],"pool":"`+pool+`"}`+"\n" {
		t.Errorf("got %s", out)
	}
	if got := done(t, "pool", "export", pool, "--config", config); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if code, _, stderr := typed(t, "pool", "import", file, "--config", config); code != 2 || !strings.Contains(stderr, "origin.yaml: User pool "+pool+" exists already.") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	done(t, "pool", "import", file, "--config", config, "--replace")

	// And into the state of a dev.
	state := filepath.Join(dir, "state")
	done(t, "pool", "import", file, "--state", state)
	if got := done(t, "pool", "export", pool, "--state", state); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPoolMistakes(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("UserPool:\n  Id: us-east-1_AAAAAAAAA\n  Name: x\n  Nam: y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.yaml")
	if err := os.WriteFile(other, []byte("a: 1\na: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, "state")
	for _, tt := range []struct {
		name, want string
		args       []string
	}{
		{"secrets to a terminal", "name a file with --to FILE", []string{"pool", "export", "us-east-1_AAAAAAAAA", "--with-secrets"}},
		{"keys of AWS", "tells its private keys to nobody", []string{"pool", "export", "us-east-1_AAAAAAAAA", "--from-aws", "--with-keys", "--to", filepath.Join(dir, "x")}},
		{"no file", "name a file to import, or a user pool", []string{"pool", "import", "--state", state}},
		{"two sources", "name a file to import, or a user pool", []string{"pool", "import", bad, "--from-aws", "us-east-1_AAAAAAAAA", "--state", state}},
		{"two places", "--state and --config are two places", []string{"pool", "import", bad, "--state", state, "--config", "x"}},
		{"a region without AWS", "--region goes with --from-aws", []string{"pool", "import", bad, "--state", state, "--region", "us-east-1"}},
		{"an unknown member", `bad.yaml: The pool cannot be read: unknown field "Nam".`, []string{"pool", "import", bad, "--state", state}},
		{"a member twice", `other.yaml:2:1: the member "a" is there twice`, []string{"pool", "import", other, "--state", state}},
		{"no state", "no such file", []string{"pool", "export", "us-east-1_AAAAAAAAA", "--state", filepath.Join(dir, "none")}},
		{"no such pool", "User pool us-east-1_AAAAAAAAA does not exist.", []string{"pool", "export", "us-east-1_AAAAAAAAA", "--state", state}},
		{"an output", `--output xml: there are text and json`, []string{"pool", "import", bad, "--state", state, "--output", "xml"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := typed(t, tt.args...)
			if code != 2 || stdout != "" || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, %q, %q; want %q", code, stdout, stderr, tt.want)
			}
		})
	}
}
