package serve_test

import (
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cmd/countersign/serve"
)

// TestTriggers: a pool's trigger is a URL of the configuration file.
func TestTriggers(t *testing.T) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var event map[string]any
		if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
			t.Error(err)
		}
		event["response"] = map[string]any{"claimsAndScopeOverrideDetails": map[string]any{
			"accessTokenGeneration": map[string]any{"claimsToAddOrOverride": map[string]any{"team": "orders"}},
		}}
		_ = json.NewEncoder(w).Encode(event)
	}))
	defer hook.Close()
	const arn = "arn:aws:lambda:us-east-1:000000000000:function:claims"
	r := begin(t, "triggers: {\""+arn+"\": \""+hook.URL+"\"}\n")
	_, err := admin(t, r.Server, r.config, "deployer").UpdateUserPool(t.Context(), &idp.UpdateUserPoolInput{
		UserPoolId: aws.String(r.pool), LambdaConfig: &types.LambdaConfigType{
			PreTokenGenerationConfig: &types.PreTokenGenerationVersionConfigType{LambdaArn: aws.String(arn), LambdaVersion: "V3_0"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	status, token := r.token(t, http.DefaultClient)
	parts := strings.Split(token, ".")
	if status != http.StatusOK || len(parts) != 3 {
		t.Fatalf("status %d", status)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || !strings.Contains(string(payload), `"team":"orders"`) {
		t.Errorf("the claims are %s, %v", payload, err)
	}
}

// TestTheAuditTrailIsRotated: whoever moves the file away and tells the issuer finds the rest under its name.
func TestTheAuditTrailIsRotated(t *testing.T) {
	r := begin(t, "audit: {file: audit.jsonl}\n")
	path := filepath.Join(filepath.Dir(r.config.Path), "audit.jsonl")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	r.Reload()
	_, err := admin(t, r.Server, r.config, "deployer").DeleteUserPoolClient(t.Context(), &idp.DeleteUserPoolClientInput{UserPoolId: aws.String(r.pool), ClientId: r.client.ClientId})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), "DeleteUserPoolClient") {
		t.Errorf("a change is not in the trail when it is acknowledged: %q, %v", text, err)
	}
	before, err := os.ReadFile(path + ".1")
	if err != nil || !strings.Contains(string(before), "CreateUserPool") || strings.Contains(string(before), "DeleteUserPoolClient") {
		t.Errorf("the old file has %s, %v", before, err)
	}
	if strings.Contains(string(before), *r.client.ClientSecret) {
		t.Error("the trail has a secret")
	}
}

// TestAnAuditTrailOnAFullDisk: the change happens, and the log has what the trail lacks.
func TestAnAuditTrailOnAFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // there is no such file elsewhere
	}
	var log safeBuffer
	c := configure(t, "drain: {wait: 0s}\naudit: {file: /dev/full}\n")
	s, err := serve.Start(t.Context(), c, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, client := provision(t, admin(t, s, c, "deployer"))
	if text := log.String(); strings.Count(text, "the audit trail cannot be written") != 1 || !strings.Contains(text, "a change is missing in the audit trail") ||
		!strings.Contains(text, "CreateUserPoolClient") || strings.Contains(text, *client.ClientSecret) {
		t.Errorf("the log has\n%s", text)
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a trigger's URL", "triggers: {\"arn:a\": \"http://example.com/\"}\n", ":5:21: triggers.arn:a is no URL of a trigger"},
		{"a quota", "quotas: some\n", `:5:9: quotas is "some", want one of none, aws`},
		{"an algorithm", "keys: {algorithms: {orders: HS256}}\n", `:5:29: keys.algorithms.orders is "HS256", want RS256, ES256 or EdDSA`},
		{"a schedule", "keys: {rotateEvery: 1h}\n", ":5:21: keys.rotateEvery is 1h0m0s; the shortest is 24h0m0s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := serve.Load(write(t, "issuer.yaml", least+tt.text)); err == nil || !strings.Contains(err.Error(), "issuer.yaml"+tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

// TestStoresThatCannotBeOpened: the connection string is a secret, and the sealing key of replicas is made once for all of them.
func TestStoresThatCannotBeOpened(t *testing.T) {
	t.Setenv("COUNTERSIGN_TEST_DSN", "")
	for _, tt := range []struct{ name, store, want string }{
		{"no sealing key", "postgres: {dsnEnv: COUNTERSIGN_TEST_DSN}", "make it once with: countersign issuer key-file"},
		{"an empty variable", "postgres: {dsnEnv: COUNTERSIGN_TEST_DSN}", "the environment variable COUNTERSIGN_TEST_DSN is empty"},
		{"no file", "postgres: {dsnFile: dsn}", "store.postgres.dsnFile: "},
		{"a file that others read", "postgres: {dsnFile: open}", "has mode 0644"},
		{"a connection string that is none", "postgres: {dsnFile: bad}", "the DSN of the database cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "issuer.yaml", "store: {"+tt.store+"}\nsealKey: seal.key\ncredentials: keys.yaml\n")
			dir := filepath.Dir(path)
			if tt.name != "no sealing key" {
				if _, err := seal.OpenKeyFile(filepath.Join(dir, "seal.key")); err != nil {
					t.Fatal(err)
				}
			}
			for name, mode := range map[string]os.FileMode{"open": 0o644, "bad": 0o600} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("postgres://u:hunter2@h:port/d"), mode); err != nil {
					t.Fatal(err)
				}
			}
			c, err := serve.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.OpenStore(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
