package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/countersign-dev/countersign/cmd/countersign/serve"
)

// runningIssuer is `countersign issuer`, run as main runs it.
type runningIssuer struct {
	t      *testing.T
	config string
	issuer string
	admin  string
	stop   func() (code int, log string)
}

// typed runs the program and returns its exit code and what it printed.
func typed(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	code = run(t.Context(), args, &out, &problems)
	return code, out.String(), problems.String()
}

// done runs the program, which has to succeed.
func done(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := typed(t, args...)
	if code != 0 {
		t.Fatalf("%q: exit code %d: %s", args, code, stderr)
	}
	return stdout
}

const issuerYAML = `listen: localhost:0
store: {sqlite: data/issuer.db}
sealKey: data/seal.key
credentials: keys.yaml
admin: {listen: "localhost:0"}
audit: {file: audit.jsonl}
drain: {wait: 0s}
`

// startIssuer waits for the line in the log that says where the issuer is.
func startIssuer(t *testing.T, dir, more string) *runningIssuer {
	t.Helper()
	r := &runningIssuer{t: t, config: filepath.Join(dir, "issuer.yaml")}
	if err := os.WriteFile(r.config, []byte(issuerYAML+more), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "keys.yaml")); err != nil {
		done(t, "issuer", "credentials", "add", filepath.Join(dir, "keys.yaml"), "--name", "deployer")
	}
	ctx, cancel := context.WithCancel(context.Background())
	read, write := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, []string{"issuer", "--config", r.config}, io.Discard, write)
		write.Close()
		ended <- code
	}()
	lines := bufio.NewScanner(read)
	var log strings.Builder
	for lines.Scan() {
		log.WriteString(lines.Text() + "\n")
		var line struct{ Msg, Issuer, Admin string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			r.issuer, r.admin = line.Issuer, "http://"+line.Admin
			break
		}
	}
	if r.issuer == "" {
		cancel()
		t.Fatalf("exit code %d: %s", <-ended, log.String())
	}
	rest := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(io.MultiReader(read)) // what the scanner has read ahead is not needed
		rest <- string(text)
	}()
	r.stop = func() (int, string) {
		cancel()
		code := <-ended
		ended <- code
		text := <-rest
		rest <- text
		return code, text
	}
	t.Cleanup(func() { r.stop() })
	return r
}

// api calls the JSON API as AWS tools do, with the key of keys.yaml.
func (r *runningIssuer) api() *idp.Client {
	r.t.Helper()
	keys, err := serve.ReadAccessKeys(filepath.Join(filepath.Dir(r.config), "keys.yaml"))
	if err != nil {
		r.t.Fatal(err)
	}
	provider := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: keys[0].AccessKeyID, SecretAccessKey: keys[0].SecretAccessKey.Reveal()}, nil
	})
	return idp.New(idp.Options{Region: "us-east-1", BaseEndpoint: aws.String(r.issuer), Credentials: provider})
}

func (r *runningIssuer) get(url string) string {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(body)
}

func TestIssuerKeys(t *testing.T) {
	dir := t.TempDir()
	r := startIssuer(t, dir, "")
	made, err := r.api().CreateUserPool(t.Context(), &idp.CreateUserPoolInput{PoolName: aws.String("orders")})
	if err != nil {
		t.Fatal(err)
	}
	pool := *made.UserPool.Id
	list := func() (states []string) {
		var out struct {
			Keys []struct{ Pool, Kid, Alg, State string }
		}
		if err := json.Unmarshal([]byte(done(t, "issuer", "keys", "list", "--config", r.config, "--output", "json")), &out); err != nil {
			t.Fatal(err)
		}
		for _, k := range out.Keys {
			if k.Pool != pool || k.Alg != "RS256" {
				t.Errorf("got %+v", k)
			}
			states = append(states, k.State)
		}
		return states
	}
	if got := strings.Join(list(), " "); got != "signing unused" {
		t.Errorf("the states are %s", got)
	}
	if out := done(t, "issuer", "keys", "rotate", "--config", r.config); !strings.Contains(out, "published") {
		t.Errorf("got %s", out)
	}
	if got := strings.Join(list(), " "); got != "signing published unused" {
		t.Errorf("the states are %s", got)
	}
	// A running issuer follows: it watches the store.
	jwks := r.issuer + "/" + pool + "/.well-known/jwks.json"
	for strings.Count(r.get(jwks), `"kid"`) != 3 {
		if t.Context().Err() != nil {
			t.Fatal("the issuer does not publish the new key")
		}
	}
	done(t, "issuer", "keys", "rotate", "--config", r.config, "--pool", pool, "--now", "--remove-others")
	if got := strings.Join(list(), " "); got != "signing unused" {
		t.Errorf("the states are %s", got)
	}
	if code, _ := r.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	trail, err := os.ReadFile(filepath.Join(dir, "audit.jsonl"))
	if err != nil || strings.Count(string(trail), `"operation":"RotateKey"`) != 2 || !strings.Contains(string(trail), `"user":"command line"`) ||
		!strings.Contains(string(trail), `"user":"deployer","role":"admin"`) || strings.Contains(string(trail), "PKCS8") {
		t.Errorf("the audit trail is %v\n%s", err, trail)
	}
}

func TestIssuerMistakes(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "issuer.yaml")
	if err := os.WriteFile(config, []byte(issuerYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, want string
		args       []string
	}{
		{"no file", "no such file", []string{"issuer", "--config", filepath.Join(dir, "none.yaml")}},
		{"no access keys", "issuer.yaml:4:14: credentials: ", []string{"issuer", "check", "--config", config}},
		{"no store yet", "an issuer makes it when it starts", []string{"issuer", "keys", "list", "--config", config}},
		{"an end of all tokens of all pools", "--remove-others goes with --now and --pool", []string{"issuer", "keys", "rotate", "--config", config, "--now", "--remove-others"}},
		{"a role", "the role is neither admin nor read-only", []string{"issuer", "credentials", "add", filepath.Join(dir, "k.yaml"), "--role", "root"}},
		{"an argument", "unknown command", []string{"issuer", "start"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := typed(t, tt.args...)
			if code != 2 || stdout != "" || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, %q, %q; want %q", code, stdout, stderr, tt.want)
			}
		})
	}
}
