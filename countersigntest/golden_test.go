package countersigntest_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/countersigntest"
)

// goldenVariable is the file for the planted tests.
const goldenVariable = "COUNTERSIGNTEST_GOLDEN"

func init() {
	golden := func(change func(*countersign.Mux, *countersign.Guard) http.Handler) func(*testing.T) {
		return func(t *testing.T) {
			guard := countersigntest.NewIssuer(t).Guard(resource)
			countersigntest.Golden(t, change(newAPI(guard), guard), os.Getenv(goldenVariable))
		}
	}
	planted["golden"] = golden(func(m *countersign.Mux, _ *countersign.Guard) http.Handler { return m })
	planted["golden, more routes"] = golden(func(m *countersign.Mux, _ *countersign.Guard) http.Handler {
		m.HandleFunc("GET /refunds", order, countersign.Public("oops"))
		return m
	})
	planted["golden, other rules"] = golden(func(_ *countersign.Mux, g *countersign.Guard) http.Handler {
		m := g.Mux()
		m.HandleFunc("POST /orders", create, countersign.Public("oops"))
		m.HandleFunc("GET /orders/{id}", order, countersign.AllScopes("orders.read", "orders.audit"))
		return m
	})
	planted["golden of two resources"] = func(t *testing.T) {
		issuer := countersigntest.NewIssuer(t)
		api := newAPI(issuer.Guard(resource))
		newAPI(issuer.Guard("https://other.example.com"))
		countersigntest.Golden(t, http.HandlerFunc(api.ServeHTTP), os.Getenv(goldenVariable))
	}
}

func TestGolden(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "authorization.json")
	at := goldenVariable + "=" + file
	step := func(name string, fails bool, want []string, env ...string) {
		t.Helper()
		out, failed := runPlanted(t, name, append(env, at)...)
		if failed != fails {
			t.Fatalf("%s: failed %t:\n%s", name, failed, out)
		}
		for _, words := range want {
			if !strings.Contains(out, words) {
				t.Errorf("%s does not say %q:\n%s", name, words, out)
			}
		}
	}
	accept := "COUNTERSIGN_UPDATE=1 go test -run '^TestPlanted$' ."
	step("golden", true, []string{"there is no " + file + " yet", accept})
	step("golden", false, nil, "COUNTERSIGN_UPDATE=1")
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	step("golden", false, nil)
	step("golden", false, nil, "COUNTERSIGN_UPDATE=1")
	if second, err := os.ReadFile(file); err != nil || !bytes.Equal(first, second) {
		t.Errorf("the second run wrote another file: %v", err)
	}
	step("golden, more routes", true, []string{"! GET /refunds: new route -> public (oops)", accept})
	step("golden, other rules", true, []string{
		"! POST /orders: scope orders.write -> public (oops)",
		"  GET /orders/{id}: scope orders.read -> all of scopes orders.read, orders.audit",
		"  GET /healthz: public (liveness probe) -> no such route",
		"  GET /whoami: any valid token -> no such route",
	})
	step("golden of two resources", true, []string{"more than one resource"})
	if err := os.WriteFile(file, bytes.Replace(first, []byte(`"post"`), []byte(`"pots"`), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	step("golden", true, []string{"/paths/~1orders/pots: the member does not belong here"})
}

// The file is for every stage and every machine.
func TestGoldenHasNoIssuerAndNoLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "authorization.json")
	t.Setenv("COUNTERSIGN_UPDATE", "1")
	issuer := countersigntest.NewIssuer(t)
	countersigntest.Golden(t, newAPI(issuer.Guard(resource)), file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{issuer.URL(), "issuer.test", "_test.go"} {
		if strings.Contains(string(text), never) {
			t.Errorf("the file has %s", never)
		}
	}
}
