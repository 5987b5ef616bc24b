package dev_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/clientcredentials"
	cfg "github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

// The test binary is the user's service too, where the variable SHOP says so.
func TestMain(m *testing.M) {
	switch os.Getenv("SHOP") {
	case "":
		os.Exit(m.Run())
	case "unbuffered":
		fmt.Println("PYTHONUNBUFFERED=" + os.Getenv("PYTHONUNBUFFERED"))
		os.Exit(3)
	}
	config, err := countersign.ConfigFromEnv()
	if err != nil {
		panic(err)
	}
	guard, err := countersign.New(config)
	if err != nil {
		panic(err)
	}
	api := guard.Mux()
	ok := func(http.ResponseWriter, *http.Request) {}
	api.HandleFunc("GET /items/{id}", ok, countersign.Scope("items.read"))
	api.HandleFunc("POST /items", ok, countersign.Scope("items.write"))
	api.HandleFunc("GET /readyz", ok, countersign.Public("readiness probe"))
	switch os.Getenv("SHOP") {
	case "offers":
		api.Handle("GET "+dev.OfferedPolicy, guard.PolicyHandler(), countersign.Scope("items.write"))
	case "offers to all":
		api.Handle("GET "+dev.OfferedPolicy, guard.PolicyHandler(), countersign.Public("who may call what is no secret"))
	}
	panic(http.ListenAndServe(os.Getenv("ADDR"), api))
}

const shopFile = `service: {name: shop}
pool: {name: Shop, domain: shop, region: eu-central-1}
resource:
  identifier: https://shop.example.com
  scopes: [{name: items.read}, {name: items.write}]
clients:
  - {name: reader, scopes: [items.read], accessTokenValidity: 15m}
  - {name: writer, scopes: [items.write]}
ingress: {host: shop.example.com, cidrs: [203.0.113.0/24], paths: [/items]}
`

// shop is a service of a user's, in the given role.
func shop(t *testing.T, role, text string) *dev.App {
	t.Helper()
	t.Setenv("SHOP", role)
	path := filepath.Join(t.TempDir(), "countersign.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := cfg.Load(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return &dev.App{Config: c, Command: []string{os.Args[0]}}
}

func startShop(t *testing.T, state string, app *dev.App) *dev.System {
	t.Helper()
	c := config(state)
	c.APIAddr, c.App, c.DrainTimeout = "127.0.0.1:0", app, time.Second
	s := start(t, c)
	if err := s.Child().Await(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestServiceOfAUserIsProved(t *testing.T) {
	for _, role := range []string{"offers", "offers to all"} {
		s := startShop(t, t.TempDir(), shop(t, role, shopFile))
		if err := s.LoadPolicy(t.Context()); err != nil {
			t.Fatal(err)
		}
		report, err := s.Prove(t.Context())
		if err != nil || !report.OK() {
			t.Errorf("%s: %v\n%v", role, err, report.Err())
		}
		if edge, err := s.ProveEdge(t.Context()); err != nil || !edge.OK() || len(edge.Rows) == 0 {
			t.Errorf("%s: edge: %v, %d rows", role, err, len(edge.Rows))
		}
		if r := s.Running; r.Region != "eu-central-1" || r.Resource != "https://shop.example.com" || !slices.Equal(r.Clients, []string{"reader", "writer"}) ||
			!strings.HasPrefix(r.UserPoolID, "eu-central-1_") || r.EdgePrefix != "/items" || r.Demo {
			t.Errorf("%s: it says that it is %+v", role, r)
		}
		if page := get(t, s.Running.AWSURL+"/"); !strings.Contains(page, "writer") || !strings.Contains(page, "/items/") || strings.Contains(page, "prover") {
			t.Errorf("%s: the page shows\n%s", role, page)
		}
		s.Close()
	}
}

// A command that nobody can run is a mistake of who typed it, and not a service that ends again and again.
func TestCommandThatIsNoProgram(t *testing.T) {
	for want, command := range map[string][]string{
		`the service cannot be started: exec: "no-such-program": executable file not found`:                                              {"no-such-program", "start"},
		`"no-such-program && sleep 1" is no program; a line of shell is typed as: countersign dev -- sh -c "no-such-program && sleep 1"`: {"no-such-program && sleep 1"},
	} {
		app := shop(t, "", shopFile)
		app.Command = command
		if err := app.Check(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", command, err)
		}
	}
}

// What Python prints is seen when it is printed.
func TestPythonIsNotBuffered(t *testing.T) {
	var out bytes.Buffer
	app := shop(t, "", shopFile)
	app.Command, app.Output = []string{os.Args[0]}, &out
	t.Setenv("SHOP", "unbuffered")
	t.Setenv("PYTHONUNBUFFERED", "") // so that it is put back
	if err := os.Unsetenv("PYTHONUNBUFFERED"); err != nil {
		t.Fatal(err)
	}
	c := config(t.TempDir())
	c.APIAddr, c.App = "127.0.0.1:0", app
	s := start(t, c)
	if err := s.Child().Await(t.Context()); err == nil {
		t.Error("it serves")
	}
	s.Close()
	if got := out.String(); !strings.HasPrefix(got, "shop | PYTHONUNBUFFERED=1\n") {
		t.Errorf("printed %q", got)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// The credentials are where the pods have them, for their owner, and gone with the system.
func TestServiceHasItsClientsCredentials(t *testing.T) {
	state := t.TempDir()
	s := startShop(t, state, shop(t, "offers", shopFile))
	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer: s.Running.Issuer, Credentials: clientcredentials.File(filepath.Join(s.Running.CredentialsDir, "reader")),
		Scopes: []string{"https://shop.example.com/items.read"}, InsecureAllowHTTP: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	token, err := source.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if life := time.Until(token.Expiry); life > 15*time.Minute {
		t.Errorf("the token lives %s, and the file says 15m", life)
	}
	info, err := os.Stat(filepath.Join(s.Running.CredentialsDir, "reader", "client_secret"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if names, err := os.ReadDir(s.Running.CredentialsDir); err != nil || len(names) != 2 {
		t.Errorf("%d directories, %v: only the file's clients are the service's", len(names), err)
	}
	s.Close()
	if _, err := os.Stat(s.Running.CredentialsDir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the credentials are still there: %v", err)
	}
}

func TestPolicyOfNobody(t *testing.T) {
	app := shop(t, "silent", shopFile)
	s := startShop(t, t.TempDir(), app)
	err := s.LoadPolicy(t.Context())
	if !errors.Is(err, dev.ErrNoPolicy) || !strings.Contains(err.Error(), "service.policy openapi.json is not there") {
		t.Errorf("got %v", err)
	}
	// Any team's document will do.
	document := `openapi: 3.1.0
info: {title: Shop, version: "1"}
components: {securitySchemes: {oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: https://example.com/token, scopes: {}}}}}}
paths:
  /items/{id}:
    get:
      parameters: [{name: id, in: path, required: true, example: 7, schema: {type: integer}}]
      security: [{oauth: [https://shop.example.com/items.read]}]
      responses: {"200": {description: the item}}
`
	if err := os.WriteFile(app.Config.Resolve("openapi.json"), []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.LoadPolicy(t.Context()); err == nil || !strings.Contains(err.Error(), "openapi.json:1:1: not JSON") {
		t.Errorf("YAML in a file named .json: %v", err)
	}
	app.Config.Service.Policy = "openapi.yaml"
	if err := os.WriteFile(app.Config.Resolve("openapi.yaml"), []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.LoadPolicy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if report, err := s.Prove(t.Context()); err != nil || !report.OK() {
		t.Errorf("%v\n%v", err, report.Err())
	}
}

// Scopes that the file has since are added; what the user changed by other means stays as it is.
func TestFileAddsAndLeavesAlone(t *testing.T) {
	state := t.TempDir()
	first := startShop(t, state, shop(t, "offers", shopFile))
	ctx, cognito, pool := t.Context(), api(t, state, first), aws.String(first.Running.UserPoolID)
	describe := func(name string) idp.DescribeUserPoolClientOutput {
		t.Helper()
		clients, err := cognito.ListUserPoolClients(ctx, &idp.ListUserPoolClientsInput{UserPoolId: pool})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range clients.UserPoolClients {
			if aws.ToString(c.ClientName) == name {
				out, err := cognito.DescribeUserPoolClient(ctx, &idp.DescribeUserPoolClientInput{UserPoolId: pool, ClientId: c.ClientId})
				if err != nil {
					t.Fatal(err)
				}
				return *out
			}
		}
		t.Fatalf("no client %s", name)
		return idp.DescribeUserPoolClientOutput{}
	}
	before := describe("reader").UserPoolClient
	if _, err := cognito.UpdateUserPoolClient(ctx, &idp.UpdateUserPoolClientInput{
		UserPoolId: pool, ClientId: before.ClientId, AllowedOAuthFlows: before.AllowedOAuthFlows, AllowedOAuthScopes: before.AllowedOAuthScopes,
		AllowedOAuthFlowsUserPoolClient: true, AccessTokenValidity: aws.Int32(2),
	}); err != nil {
		t.Fatal(err)
	}
	first.Close()

	more := strings.ReplaceAll(shopFile, "{name: items.write}]", "{name: items.write}, {name: items.list}]")
	again := startShop(t, state, shop(t, "offers", strings.ReplaceAll(more, "scopes: [items.read],", "scopes: [items.read, items.list],")))
	if again.Running.UserPoolID != *pool {
		t.Fatalf("the pool was %s and is %s", *pool, again.Running.UserPoolID)
	}
	cognito = api(t, state, again)
	after := describe("reader").UserPoolClient
	if want := []string{"https://shop.example.com/items.read", "https://shop.example.com/items.list"}; !slices.Equal(after.AllowedOAuthScopes, want) {
		t.Errorf("scopes %q, want %q", after.AllowedOAuthScopes, want)
	}
	if aws.ToInt32(after.AccessTokenValidity) != 2 || aws.ToString(after.ClientSecret) != aws.ToString(before.ClientSecret) {
		t.Errorf("what was changed by other means is undone: %+v", after.AccessTokenValidity)
	}
}

func TestServiceWithoutAProgram(t *testing.T) {
	app := shop(t, "offers", shopFile)
	app.Command = nil
	if err := app.Check(); err == nil || !strings.Contains(err.Error(), "service.main: . is no Go program") {
		t.Errorf("got %v", err)
	}
}
