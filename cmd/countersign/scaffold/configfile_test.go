package scaffold_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cfg "github.com/countersign-dev/countersign/cmd/countersign/config"
)

// checkConfig holds countersign.yaml to being right, and to what the code is.
func checkConfig(t *testing.T, dir, name, main string, scopes ...string) {
	t.Helper()
	file, err := cfg.Read(filepath.Join(dir, "countersign.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Check(); err != nil {
		t.Error(err)
	}
	c, err := file.Config("dev")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, scope := range c.Resource.Scopes {
		got = append(got, scope.Name)
	}
	if c.Service.Name != name || c.Service.Main != main || !slices.Equal(got, scopes) || len(c.Clients) != len(scopes) {
		t.Errorf("service %+v, scopes %q, clients %+v", c.Service, got, c.Clients)
	}
}

// What is there is the user's word, also where routes ask for scopes that it has not.
func TestConfigThatIsThereStays(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "countersign.yaml", "service: {name: mine}\n")
	write(t, config(t, dir))
	if got := tree(t, dir)["countersign.yaml"]; got != "service: {name: mine}\n" {
		t.Errorf("it is\n%s", got)
	}
}

func TestConfigFollowsTheModule(t *testing.T) {
	for module, want := range map[string]string{
		"example.com/you/orders":           "orders",
		"example.com/you/Order_Service/v2": "order-service",
		"example.com/you/7zip.svc":         "zip-svc",
		"example.com/you/123":              "service",
	} {
		dir := t.TempDir()
		c := config(t, dir)
		c.Module, c.Region, c.Resource = module, "eu-central-1", "https://orders.example.com"
		write(t, c)
		text := tree(t, dir)["countersign.yaml"]
		for _, line := range []string{"  name: " + want + "\n", "  region: eu-central-1\n", "  identifier: https://orders.example.com\n", "  live: /healthz\n"} {
			if !strings.Contains(text, line) {
				t.Errorf("%s: no %q in\n%s", module, line, text)
			}
		}
		file, err := cfg.Read(filepath.Join(dir, "countersign.yaml"))
		if err != nil || file.Check() != nil {
			t.Errorf("%s: %v, %v", module, err, file.Check())
		}
	}
}
