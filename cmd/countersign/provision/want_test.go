package provision_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

func TestWantRefuses(t *testing.T) {
	good := func() *config.Config {
		return &config.Config{
			Path: "countersign.yaml", Service: config.Service{Name: "orders"}, Pool: config.Pool{Name: "orders", Domain: "orders"},
			Resource: config.Resource{Identifier: api, Name: "orders"},
			Clients:  []config.Client{{Name: "a", Scopes: []string{"read"}}},
		}
	}
	if _, err := provision.NewWant(good(), "eu-west-1", false); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*config.Config)
		want   string
	}{
		{"a pool of another region", func(c *config.Config) { c.Pool.ID = "us-east-1_AbCdEf123" },
			"countersign.yaml: pool.id us-east-1_AbCdEf123 is a pool of region us-east-1, and the region here is eu-west-1"},
		{"no scope", func(c *config.Config) { c.Clients[0].Scopes = nil },
			"countersign.yaml: client a has no scope: Cognito gives client_credentials only to a client with one"},
		{"one place for two", func(c *config.Config) {
			c.Clients[0].Secret.File = "x.json"
			c.Clients = append(c.Clients, config.Client{Name: "b", Scopes: []string{"read"}, Secret: config.SecretPlace{File: "x.json"}})
		}, "countersign.yaml: clients a and b are written to the same place"},
		{"everything at once", func(c *config.Config) { c.Pool, c.Resource.Identifier = config.Pool{}, "" },
			"countersign.yaml: pool.domain is missing\ncountersign.yaml: pool.name is missing\ncountersign.yaml: resource.identifier is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := good()
			c.change(cfg)
			if _, err := provision.NewWant(cfg, "eu-west-1", false); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %v", err, c.want)
			}
		})
	}
	cfg := good()
	cfg.Pool.ID = "us-east-1_AbCdEf123"
	if want, err := provision.NewWant(cfg, "eu-west-1", true); err != nil || want.Pool.ID != "" {
		t.Errorf("a local run looks for the id of a pool of AWS: %v", err)
	}
}

// TestThePageGrantsWhatIsCalled compares the policy of docs/provision.md with the calls that this package makes.
func TestThePageGrantsWhatIsCalled(t *testing.T) {
	page, err := os.ReadFile("../../../docs/provision.md")
	if err != nil {
		t.Fatal(err)
	}
	// Tags given to what is made need an action of their own.
	called := []string{"cognito-idp:TagResource", "secretsmanager:TagResource"}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:Cognito\.|idp\.New)(\w+)\(ctx|idp\.New(\w+)Paginator|p\.api\.(\w+)\(ctx`).FindAllStringSubmatch(string(source), -1) {
			switch {
			case m[3] != "":
				called = append(called, "secretsmanager:"+m[3])
			default:
				called = append(called, "cognito-idp:"+m[1]+m[2])
			}
		}
	}
	slices.Sort(called)
	called = slices.Compact(called)
	granted := regexp.MustCompile(`(?:cognito-idp|secretsmanager):[A-Z][a-z]\w+`).FindAllString(string(page), -1)
	slices.Sort(granted)
	if got, want := strings.Join(slices.Compact(granted), "\n"), strings.Join(called, "\n"); got != want {
		t.Errorf("the page grants\n%s\nand the code calls\n%s", got, want)
	}
}
