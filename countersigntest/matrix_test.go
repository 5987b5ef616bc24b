package countersigntest_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/countersigntest"
)

func TestMatrix(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	countersigntest.Matrix(t, newAPI(issuer.Guard(resource)))
}

// Wrapped in middleware, the API is known by the guards of this test.
func TestMatrixOfAWrappedAPI(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	api := newAPI(issuer.Guard(resource))
	t.Run("in a subtest", func(t *testing.T) {
		countersigntest.Matrix(t, http.HandlerFunc(api.ServeHTTP))
	})
}

func TestMatrixTakesValues(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	api := issuer.Guard(resource).Mux()
	api.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") != "order-7" {
			http.NotFound(w, r)
		}
	}, countersign.Scope("orders.read"))
	countersigntest.Values{"id": "order-7"}.Matrix(t, api)
}

// Two routes call different things id, and one needs what only it needs.
func TestMatrixTakesExamples(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	api := issuer.Guard(resource).Mux()
	known := func(id string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.PathValue("id") != id {
				http.NotFound(w, r)
			}
		}
	}
	api.HandleFunc("GET /orders/{id}", known("order-7"), countersign.Scope("orders.read"))
	api.HandleFunc("GET /users/{id}", known("user-3"), countersign.Scope("orders.read"))
	api.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err != nil || string(body) != "tea" || r.Header.Get("X-Tenant") != "test" || r.URL.RawQuery != "dry=1" {
			http.NotFound(w, r)
		}
	}, countersign.Scope("orders.write"))
	countersigntest.Examples{
		"GET /orders/{id}": {Values: map[string]string{"id": "order-7"}},
		"GET /users/{id}":  {Values: map[string]string{"id": "user-3"}},
		"POST /orders":     {Body: []byte("tea"), ContentType: "text/plain", Header: http.Header{"X-Tenant": {"test"}}, Query: "dry=1"},
	}.Matrix(t, api)
}

// plantedVariable chooses which of the planted tests below runs, in a process of its own: they must fail.
const plantedVariable = "COUNTERSIGNTEST_PLANTED"

// planted are APIs with a fault, and tests that are put together wrongly.
var planted = map[string]func(*testing.T){
	"handler past the guard": func(t *testing.T) {
		issuer := countersigntest.NewIssuer(t)
		api := newAPI(issuer.Guard(resource))
		countersigntest.Matrix(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				create(w, r)
				return
			}
			api.ServeHTTP(w, r)
		}))
	},
	"rule on the wrong scope": func(t *testing.T) {
		// The policy that reviewers saw says orders.write.
		issuer := countersigntest.NewIssuer(t)
		newAPI(issuer.Guard(resource))
		served := issuer.Guard("https://served.example.com").Mux()
		served.HandleFunc("POST /orders", create, countersign.Scope("orders.write"))
		countersigntest.Matrix(t, http.HandlerFunc(served.ServeHTTP))
	},
	"challenge removed": func(t *testing.T) {
		issuer := countersigntest.NewIssuer(t)
		api := newAPI(issuer.Guard(resource))
		countersigntest.Matrix(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			api.ServeHTTP(withoutChallenge{w}, r)
		}))
	},
	"handler that always fails": func(t *testing.T) {
		issuer := countersigntest.NewIssuer(t)
		api := issuer.Guard(resource).Mux()
		api.HandleFunc("GET /orders", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) }, countersign.Scope("orders.read"))
		countersigntest.Matrix(t, api)
	},
	"values that do not exist": func(t *testing.T) {
		issuer := countersigntest.NewIssuer(t)
		api := issuer.Guard(resource).Mux()
		api.HandleFunc("GET /orders/{id}", http.NotFound, countersign.Scope("orders.read"))
		countersigntest.Matrix(t, api)
	},
	"example of no route": func(t *testing.T) {
		countersigntest.Examples{"GET /order/{id}": {}}.Matrix(t, newAPI(countersigntest.NewIssuer(t).Guard(resource)))
	},
	"service that is not there": func(t *testing.T) {
		issuer := countersigntest.NewIssuer(t)
		newAPI(issuer.Guard(resource))
		countersigntest.Matrix(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	},
	// The only one that passes.
	"nothing": func(t *testing.T) {
		countersigntest.Matrix(t, newAPI(countersigntest.NewIssuer(t).Guard(resource)))
	},
	"no routes": func(t *testing.T) {
		countersigntest.Matrix(t, countersigntest.NewIssuer(t).Guard(resource).Mux())
	},
	"no guard": func(t *testing.T) {
		countersigntest.NewIssuer(t)
		countersigntest.Matrix(t, http.NotFoundHandler())
	},
	"guard of another issuer": func(t *testing.T) {
		guard, err := countersign.New(countersign.Config{Issuer: "https://issuer.example.com/eu-west-1_AbCdEf123", Resource: resource})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { guard.Close() })
		countersigntest.Matrix(t, newAPI(guard))
	},
	"only attached rules": func(t *testing.T) {
		issuer := countersigntest.NewIssuer(t)
		h := issuer.Guard(resource).Require(countersign.Scope("orders.read"))(http.HandlerFunc(order))
		countersigntest.Matrix(t, h)
	},
	"scope of no resource": func(t *testing.T) { countersigntest.NewIssuer(t).As("shop", "orders.read") },
	"scope that Cognito has not": func(t *testing.T) {
		issuer := countersigntest.NewIssuer(t)
		issuer.Guard(resource)
		issuer.As("shop", "orders read")
	},
}

type withoutChallenge struct{ http.ResponseWriter }

func (w withoutChallenge) WriteHeader(status int) {
	w.Header().Del("WWW-Authenticate")
	w.ResponseWriter.WriteHeader(status)
}

// TestPlanted does nothing in an ordinary run.
func TestPlanted(t *testing.T) {
	if test := planted[os.Getenv(plantedVariable)]; test != nil {
		test(t)
	}
}

// A matrix that cannot fail proves nothing: each planted test is run as go test runs it, and must fail with these words.
func TestMatrixFails(t *testing.T) {
	for name, want := range map[string][]string{
		"handler past the guard": {"--- FAIL: TestPlanted/POST_/orders/401_no_token", "want 401, no error code, got 201: admitted, though it must be refused",
			`the rule is Scope("orders.write")`, "--- FAIL: TestPlanted/POST_/orders/bad_token_alg_none", "--- FAIL: TestPlanted/POST_/orders/403_with_only_orders.read",
			"--- PASS: TestPlanted/GET_/orders/{id}/401_no_token"},
		"rule on the wrong scope":   {"--- FAIL: TestPlanted/POST_/orders/allowed_with_orders.write", "got 403 insufficient_scope: refused, though the policy admits it"},
		"challenge removed":         {"--- FAIL: TestPlanted/GET_/orders/{id}/401_no_token", "no WWW-Authenticate: Bearer", "issuer_test.go:"},
		"handler that always fails": {"--- FAIL: TestPlanted/GET_/orders/allowed_with_orders.read", "got 500: the service failed"},
		"values that do not exist": {"--- FAIL: TestPlanted/GET_/orders/{id}/allowed_with_orders.read", "its parameters need values that exist",
			`countersigntest.Examples{"GET /orders/{id}": {Values: map[string]string{"id": "…"}}}.Matrix(t, api)`},
		"example of no route":        {`Examples has "GET /order/{id}", and no route has this pattern; the routes are ["GET /orders/{id}"`},
		"service that is not there":  {"could not run: a gateway answered", "issuer_test.go:", `the rule is Scope("orders.write")`},
		"no routes":                  {"the API has no routes"},
		"no guard":                   {"the API has no Policy method, and no guard of this test has a route; build it with issuer.Guard(resource)"},
		"guard of another issuer":    {"the API trusts https://issuer.example.com/eu-west-1_AbCdEf123, which is no issuer of this test"},
		"only attached rules":        {"nothing was proved", "--- SKIP: TestPlanted/Require_at_matrix_test.go:"},
		"scope of no resource":       {`As("shop"): the scope orders.read belongs to no resource yet`},
		"scope that Cognito has not": {`As("shop"): `},
	} {
		t.Run(name, func(t *testing.T) {
			out, failed := runPlanted(t, name)
			if !failed {
				t.Errorf("it passed:\n%s", out)
			}
			for _, words := range want {
				if !strings.Contains(out, words) {
					t.Errorf("it does not say %q:\n%.4000s", words, out)
				}
			}
			if regexp.MustCompile(`eyJ[\w-]{10}`).MatchString(out) {
				t.Error("a token is in the output")
			}
		})
	}
}

// runPlanted runs this test binary once more.
func runPlanted(t *testing.T, name string, more ...string) (output string, failed bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestPlanted$", "-test.v")
	cmd.Env = append(append(os.Environ(), plantedVariable+"="+name), more...)
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return string(out), err != nil
}

// What cannot be proved is seen to be skipped.
func TestMatrixSkipsWhatCannotBeProved(t *testing.T) {
	out, failed := runPlanted(t, "nothing")
	if failed || !strings.Contains(out, "--- SKIP: TestPlanted/GET_/whoami/403_wrong_scope") || !strings.Contains(out, "the rule asks for no scope") {
		t.Errorf("failed %t:\n%.4000s", failed, out)
	}
	if n := strings.Count(out, "--- SKIP"); n != 1 {
		t.Errorf("%d cases were skipped", n)
	}
}
