package provision_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

var stored = provision.Credential{ClientID: "c1", ClientSecret: "very-secret", TokenEndpoint: "https://i.example.com/oauth2/token", Issuer: "https://i.example.com", Scope: "a/b a/c"}

func filePlace(t *testing.T, local bool, environment string, secret config.SecretPlace) (provision.Place, string) {
	t.Helper()
	dir := t.TempDir()
	places := provision.NewPlaces(&config.Config{Path: filepath.Join(dir, "countersign.yaml"), Environment: environment}, local, nil, "eu-west-1")
	place, _ := places.Of(provision.WantClient{Name: "reader", Secret: secret})
	return place, dir
}

// What is written is what clientcredentials.File reads, in a file that its owner alone may read.
func TestFile(t *testing.T) {
	for _, c := range []struct {
		name, environment string
		local             bool
		secret            config.SecretPlace
		want              string
	}{
		{"by default", "", false, config.SecretPlace{}, ".countersign/clients/reader.json"},
		{"of an environment", "prod", false, config.SecretPlace{}, ".countersign/clients/prod/reader.json"},
		{"named", "prod", false, config.SecretPlace{File: "secrets/r.json"}, "secrets/r.json"},
		{"of the local system, in place of Secrets Manager", "", true, config.SecretPlace{SecretsManager: "x"}, ".countersign/clients/local/reader.json"},
		{"of the local system, in place of a file of the cloud", "prod", true, config.SecretPlace{File: "secrets/r.json"}, ".countersign/clients/local/prod/reader.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			place, dir := filePlace(t, c.local, c.environment, c.secret)
			before, err := place.Read(t.Context())
			if err != nil || before.Found {
				t.Fatalf("%+v, %v", before, err)
			}
			if err := place.Write(t.Context(), before, stored); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, filepath.FromSlash(c.want))
			if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
				t.Fatalf("%v, %v", err, info)
			}
			read, err := clientcredentials.File(path).Load(t.Context())
			if err != nil || len(read) != 1 || read[0].ClientID != "c1" || read[0].ClientSecret != "very-secret" {
				t.Errorf("clientcredentials.File reads %d credentials, %v", len(read), err)
			}
			if after, err := place.Read(t.Context()); err != nil || !after.Found || after.Loose != "" || after.Credential != stored {
				t.Errorf("another credential is read: %v", err)
			}
			entries, err := os.ReadDir(filepath.Dir(path))
			if err != nil || len(entries) > 3 {
				t.Errorf("something is left beside it: %v %v", entries, err)
			}
		})
	}
}

// A staged secret is the second one to clients, and the first one once it is promoted.
func TestFileStages(t *testing.T) {
	place, dir := filePlace(t, false, "", config.SecretPlace{})
	next := stored
	next.ClientSecret, next.Second, next.Rotation = "next-secret", stored.ClientSecret, &provision.Rotation{OldID: "1"}
	read := func() (provision.Stored, string) {
		t.Helper()
		s, err := place.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		list, err := clientcredentials.File(filepath.Join(dir, ".countersign/clients/reader.json")).Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var secrets []string
		for _, c := range list {
			secrets = append(secrets, c.ClientSecret)
		}
		return s, strings.Join(secrets, " ")
	}
	if err := place.Write(t.Context(), provision.Stored{}, stored); err != nil {
		t.Fatal(err)
	}
	s, _ := read()
	if err := place.Stage(t.Context(), s, next); err != nil {
		t.Fatal(err)
	}
	s, secrets := read()
	if secrets != "very-secret next-secret" || s.Pending == nil || s.Pending.ClientSecret != "next-secret" {
		t.Errorf("staged: the order of the secrets or the pending one is wrong")
	}
	if err := place.Promote(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if s, secrets = read(); secrets != "next-secret very-secret" || s.Pending != nil || s.Credential.Rotation.OldID != "1" {
		t.Error("promoted: the order of the secrets is wrong")
	}
}

func TestFileIsForeign(t *testing.T) {
	place, dir := filePlace(t, false, "", config.SecretPlace{File: "x"})
	for _, content := range []string{"", "hello", "[]", `{"password":"hunter2"}`, strings.Repeat("x", 1<<17)} {
		if err := os.WriteFile(filepath.Join(dir, "x"), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := place.Read(t.Context())
		if err != nil || s.Foreign == "" || strings.Contains(s.Foreign, "hunter2") {
			t.Errorf("%.20q: %+v, %v", content, s.Foreign, err)
		}
	}
}

// No way to print a credential shows its secrets.
func TestCredentialHidesItsSecrets(t *testing.T) {
	text, err := json.Marshal(stored)
	if err != nil || strings.Contains(string(text), "very-secret") {
		t.Error("JSON shows the secret")
	}
}

func TestExport(t *testing.T) {
	want := wanted()
	want.Clients = append(want.Clients,
		provision.WantClient{Name: "a b", Scopes: []string{api + "/${x}"}, Validity: 90e9, Secret: config.SecretPlace{SecretsManager: "orders/${x}%{y}"}},
		provision.WantClient{Name: "a-B", Scopes: []string{api + "/read"}, Validity: 3600e9},
	)
	for format, parts := range map[string][]string{
		"cloudformation": {`"ClientAB"`, `"ClientAB2"`, `"ClientReader"`, `"AccessTokenValidity": 90`, `"AccessToken": "seconds"`, `${!x}`, `"Fn::GetAtt"`},
		"terraform":      {`"client_ab"`, `"client_ab2"`, `"client_reader"`, `"name": "orders/$${x}%%{y}"`, `"region": "ap-southeast-1"`, `aws_cognito_user_pool_client.client_ab.client_secret`},
	} {
		text, err := provision.Export(want, format)
		if err != nil {
			t.Fatal(err)
		}
		var document map[string]any
		if err := json.Unmarshal(text, &document); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		for _, part := range parts {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s has no %s:\n%s", format, part, text)
			}
		}
		for range 20 {
			if again, err := provision.Export(want, format); err != nil || string(again) != string(text) {
				t.Fatalf("%s: another export has other bytes, %v", format, err)
			}
		}
	}
	if _, err := provision.Export(want, "pulumi"); err == nil || !strings.Contains(err.Error(), "write cloudformation or terraform") {
		t.Errorf("an unknown format: %v", err)
	}
	want.Pool.ID = "ap-southeast-1_x"
	if _, err := provision.Export(want, "terraform"); err == nil || !strings.Contains(err.Error(), "pool.id names a user pool that exists") {
		t.Errorf("a pool that exists would be made again: %v", err)
	}
}
