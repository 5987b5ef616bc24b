package countersign_test

import (
	"fmt"
	"math"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
)

func TestNewSaysEveryProblemAtOnce(t *testing.T) {
	_, err := countersign.New(countersign.Config{
		Issuer:   "http://idp.example.com",
		Resource: "//api.example.com/",

		ResourceMetadata: true,

		Profile:    "oidc",
		Algorithms: []string{"HS256", "RS256"},
		ClientIDs:  []string{""},
		Leeway:     time.Hour,
		MaxStale:   -time.Second,
		CacheBytes: math.MaxInt,
		AlsoTrust:  []countersign.Issuer{{}},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`countersign: Issuer "http://idp.example.com": https is required; InsecureAllowHTTP permits http`,
		`countersign: Resource "//api.example.com/": no spaces`,
		`countersign: Issuer: Profile "oidc" is not "cognito" or "rfc9068"`,
		`countersign: Issuer: Algorithms: "HS256" is not RS256, PS256, ES256 or EdDSA`,
		`countersign: Issuer: ClientIDs has an empty id`,
		`countersign: Leeway 1h0m0s: more than 5m0s`,
		`countersign: MaxStale -1s: it must be at least 15m0s, or zero for 24h0m0s`,
		fmt.Sprintf("countersign: CacheBytes %d: more than 1 GiB", math.MaxInt),
		`countersign: ResourceMetadata needs a Resource that is a URL`,
		`countersign: AlsoTrust[0]: Issuer is required`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 10 {
		t.Errorf("%d problems:\n%v", n, err)
	}
}

func TestNewRefuses(t *testing.T) {
	good := countersign.Config{Issuer: pool, Resource: resource}
	for _, tt := range []struct {
		name, want string
		edit       func(*countersign.Config)
	}{
		{"rfc8725 s3.9: no resource", "Resource is required", func(c *countersign.Config) { c.Resource = "" }},
		{"rfc6749 s3.3: resource with a quote", "no spaces, quotes", func(c *countersign.Config) { c.Resource = `https://a"b` }},
		{"no issuer", "Issuer is required", func(c *countersign.Config) { c.Issuer = "" }},
		{"rfc8414 s2: issuer with a query", "not the URL of an issuer", func(c *countersign.Config) { c.Issuer += "?a=b" }},
		{"issuer is a name", "not the URL of an issuer", func(c *countersign.Config) { c.Issuer = "accounts" }},
		{"issuer over ftp", "https is required", func(c *countersign.Config) { c.Issuer = "ftp://idp.example.com" }},
		{"a list of no client", "ClientIDs is a list of no client", func(c *countersign.Config) { c.ClientIDs = []string{} }},
		{"a list of no client, of a further issuer", "AlsoTrust[0]: Issuer: ClientIDs is a list of no client", func(c *countersign.Config) {
			c.AlsoTrust = []countersign.Issuer{{Issuer: tenant, ClientIDs: []string{}}}
		}},
		{"resource with a slash at its end", "or slash at the end", func(c *countersign.Config) { c.Resource += "/" }},
		{"rfc8414 s2: issuer with a fragment", "not the URL of an issuer", func(c *countersign.Config) { c.Issuer += "#a" }},
		{"rfc3986 s3.2.1: issuer with a user", "not the URL of an issuer", func(c *countersign.Config) { c.Issuer = strings.Replace(pool, "https://", "https://me@", 1) }},
		{"alg none", "Algorithms", func(c *countersign.Config) { c.Algorithms = []string{"none"} }},
		{"issuer twice", "is there twice", func(c *countersign.Config) { c.AlsoTrust = []countersign.Issuer{{Issuer: pool}} }},
		{"cognito: issuer twice, in its other form", "is there twice", func(c *countersign.Config) {
			c.AlsoTrust = []countersign.Issuer{{Issuer: strings.Replace(pool, "https://", "https://issuer-", 1)}}
		}},
		{"one file for two issuers", "LastGoodFile ./keys is there twice", func(c *countersign.Config) {
			c.LastGoodFile, c.AlsoTrust = "keys", []countersign.Issuer{{Issuer: tenant, LastGoodFile: "./keys"}}
		}},
		{"MaxStale below a refresh", "MaxStale 1m0s: it must be at least 15m0s", func(c *countersign.Config) { c.MaxStale = time.Minute }},
		{"keys file is not there", "KeysFile ", func(c *countersign.Config) { c.KeysFile = filepath.Join(t.TempDir(), "keys.json") }},
		{"rfc9728 s3.1: resource is no URL", "ResourceMetadata needs a Resource that is a URL", func(c *countersign.Config) { c.Resource, c.ResourceMetadata = "orders", true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := good
			tt.edit(&cfg)
			guard, err := countersign.New(cfg)
			if err == nil {
				guard.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "countersign: ") {
				t.Errorf("error %q, want %q", err, tt.want)
			}
		})
	}
}

func TestProfileFollowsFromTheIssuer(t *testing.T) {
	for issuer, want := range map[string]countersign.Profile{
		pool: countersign.Cognito,
		"https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123":   countersign.Cognito,
		"https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbCdEf123":     countersign.Cognito,
		"http://localhost:8081/local_AbCdEf123":                                    countersign.Cognito,
		"https://login.example.com":                                                countersign.RFC9068,
		"https://login.example.com/realms/orders":                                  countersign.RFC9068,
		"https://login.example.com/orders":                                         countersign.RFC9068,
		"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123/more":     countersign.RFC9068,
		"https://cognito-idp.eu-west-1.amazonaws.com.evil.example/realms/orders_1": countersign.RFC9068,
	} {
		guard, err := countersign.New(countersign.Config{Issuer: issuer, Resource: resource, HTTPClient: &http.Client{Transport: newIssuer(issuer)}})
		if err != nil {
			t.Fatal(err)
		}
		if got := guard.Policy().Profile; got != want {
			t.Errorf("%s: profile %s, want %s", issuer, got, want)
		}
		guard.Close()
	}
}

func TestConfigFromEnv(t *testing.T) {
	t.Setenv("COUNTERSIGN_ISSUER", pool)
	t.Setenv("COUNTERSIGN_RESOURCE", resource)
	t.Setenv("COUNTERSIGN_AUDIENCE", "urn:orders")
	t.Setenv("COUNTERSIGN_CLIENT_IDS", "reader, writer")
	t.Setenv("COUNTERSIGN_LEEWAY", "90s")
	t.Setenv("COUNTERSIGN_KEYS_URL", pool+"/keys")
	cfg, err := countersign.ConfigFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Issuer != pool || cfg.Resource != resource || cfg.Audience != "urn:orders" || strings.Join(cfg.ClientIDs, "|") != "reader|writer" ||
		cfg.Leeway != 90*time.Second || cfg.KeysURL != pool+"/keys" || cfg.Algorithms != nil || cfg.InsecureAllowHTTP {
		t.Errorf("config %+v", cfg)
	}
}

func TestConfigFromEnvSaysEveryProblemAtOnce(t *testing.T) {
	t.Setenv("COUNTERSIGN_ISSUER", "")
	t.Setenv("COUNTERSIGN_RESOURCE", "")
	t.Setenv("COUNTERSIGN_LEEWAY", "soon")
	_, err := countersign.ConfigFromEnv()
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"COUNTERSIGN_ISSUER is not set", "COUNTERSIGN_RESOURCE is not set", "COUNTERSIGN_LEEWAY is not a duration"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not say %q: %v", name, err)
		}
	}
}

func TestAnEmptyListOfClientsIsNotEveryClient(t *testing.T) {
	t.Setenv("COUNTERSIGN_ISSUER", pool)
	t.Setenv("COUNTERSIGN_RESOURCE", resource)
	t.Setenv("COUNTERSIGN_CLIENT_IDS", "")
	cfg, err := countersign.ConfigFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	if guard, err := countersign.New(cfg); err == nil {
		guard.Close()
		t.Error("an empty COUNTERSIGN_CLIENT_IDS was taken for none")
	}
}

func TestConfigIsCopied(t *testing.T) {
	clients := []string{client}
	guard := newIssuer(pool).guard(t, func(c *countersign.Config) { c.ClientIDs = clients })
	clients[0] = "changed"
	run(t, guard, []probe{{"the list of New", sign(cognitoHeader, cognitoClaims), ""}})
}
