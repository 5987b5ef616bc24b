package clientcredentials_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

func TestNewChecksTheConfig(t *testing.T) {
	good := clientcredentials.Config{Issuer: "https://issuer.example.com/pool", Credentials: clientcredentials.Static("reader", "s3cret")}
	for _, c := range []struct {
		name   string
		change func(*clientcredentials.Config)
		fields []string // that the error names, in order
	}{
		{"good", func(*clientcredentials.Config) {}, nil},
		{"http on the loopback", func(c *clientcredentials.Config) { c.Issuer = "http://localhost:8081/pool" }, nil},
		{"http on the loopback's address", func(c *clientcredentials.Config) { c.TokenEndpoint = "http://[::1]:1/token" }, nil},
		{"http said to be insecure", func(c *clientcredentials.Config) {
			c.Issuer, c.InsecureAllowHTTP, c.Origins = "http://issuer.local", true, []string{"http://api.local:8080/"}
		}, nil},
		{"empty", func(c *clientcredentials.Config) { *c = clientcredentials.Config{} }, []string{"Issuer", "Credentials"}},
		{"rfc6749 s3.2: http elsewhere", func(c *clientcredentials.Config) { c.Issuer = "http://issuer.example.com" }, []string{"Issuer"}},
		{"http on a name that begins like the loopback", func(c *clientcredentials.Config) { c.Issuer = "http://localhost.example.com" }, []string{"Issuer"}},
		{"oidc discovery s2: an issuer with a query", func(c *clientcredentials.Config) { c.Issuer += "?s3cret" }, []string{"Issuer"}},
		{"Cognito: the domain of a pool is not its issuer", func(c *clientcredentials.Config) {
			c.Issuer = "https://example.auth.eu-west-1.amazoncognito.com"
		}, []string{"Issuer"}},
		{"no URL", func(c *clientcredentials.Config) { c.Issuer = "issuer.example.com" }, []string{"Issuer"}},
		{"another scheme", func(c *clientcredentials.Config) { c.TokenEndpoint = "ftp://issuer.example.com" }, []string{"TokenEndpoint"}},
		{"rfc6749 s3.2: no fragment", func(c *clientcredentials.Config) { c.TokenEndpoint = "https://a.example.com/#s3cret" }, []string{"TokenEndpoint"}},
		{"a password in the URL", func(c *clientcredentials.Config) { c.TokenEndpoint = "https://id:s3cret@a.example.com/" }, []string{"TokenEndpoint"}},
		{"rfc6749 s3.3: a space in a scope", func(c *clientcredentials.Config) { c.Scopes = []string{"a b"} }, []string{"Scopes"}},
		{"a scope twice", func(c *clientcredentials.Config) { c.Scopes = []string{"a", "a"} }, []string{"Scopes"}},
		{"Cognito: 51 scopes at GetClientToken", func(c *clientcredentials.Config) {
			c.Door = clientcredentials.GetClientToken
			for n := range 51 {
				c.Scopes = append(c.Scopes, fmt.Sprint(n))
			}
		}, []string{"Scopes"}},
		{"an unknown door", func(c *clientcredentials.Config) { c.Door = "window" }, []string{"Door"}},
		{"an origin with a path", func(c *clientcredentials.Config) {
			c.Origins = []string{"https://a.example.com", "https://b.example.com/api"}
		}, []string{"Origins[1]"}},
		{"an origin over http", func(c *clientcredentials.Config) { c.Origins = []string{"http://a.example.com"} }, []string{"Origins[0]"}},
		{"an empty secret", func(c *clientcredentials.Config) { c.Credentials = clientcredentials.Static("reader", "") }, []string{"Credentials"}},
		{"an empty path", func(c *clientcredentials.Config) { c.Credentials = clientcredentials.File("") }, []string{"Credentials"}},
		{"a nil Func", func(c *clientcredentials.Config) { c.Credentials = clientcredentials.Func(nil) }, []string{"Credentials"}},
		{"a parameter of our own", func(c *clientcredentials.Config) { c.Parameters = url.Values{"grant_type": {"password"}} }, []string{"Parameters"}},
		{"a secret among the parameters", func(c *clientcredentials.Config) { c.Parameters = url.Values{"client_secret": {"s3cret"}} }, []string{"Parameters"}},
		{"a parameter without a name", func(c *clientcredentials.Config) { c.Parameters = url.Values{"": {"x"}} }, []string{"Parameters"}},
		{"parameters at GetClientToken", func(c *clientcredentials.Config) {
			c.Door, c.Parameters = clientcredentials.GetClientToken, url.Values{"audience": {"x"}}
		}, []string{"Parameters"}},
		{"all at once", func(c *clientcredentials.Config) {
			*c = clientcredentials.Config{Issuer: "x", TokenEndpoint: "y", Scopes: []string{""}, Door: "z", Origins: []string{""}}
		}, []string{"Issuer", "TokenEndpoint", "Credentials", "Scopes", "Door", "Origins[0]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := good
			cfg.HTTPClient = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				panic("New sends no request")
			})}
			c.change(&cfg)
			s, err := clientcredentials.New(cfg)
			if len(c.fields) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				_ = s.Close()
				return
			}
			if err == nil {
				t.Fatal("New took it")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(c.fields) {
				t.Fatalf("got %d problems, want %d:\n%v", len(lines), len(c.fields), err)
			}
			for n, field := range c.fields {
				if !strings.HasPrefix(lines[n], "clientcredentials: Config."+field+": ") {
					t.Errorf("%q is not about %s", lines[n], field)
				}
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%v repeats a secret", err)
			}
		})
	}
}

func TestConfigIsCopied(t *testing.T) {
	scopes, parameters := []string{"read"}, url.Values{"audience": {"https://api.example.com"}}
	i := &issuer{}
	s := i.source(t, func(cfg *clientcredentials.Config) { cfg.Scopes, cfg.Parameters = scopes, parameters })
	scopes[0], parameters["audience"][0], parameters["evil"] = "write", "x", []string{"x"}
	token(t, s)
	if got := i.last().body; got != "audience=https%3A%2F%2Fapi.example.com&grant_type=client_credentials&scope=read" {
		t.Errorf("the request is %q", got)
	}
}

// TestParameters: each of a parameter's values is sent, with every way to show a secret, and each time.
func TestParameters(t *testing.T) {
	for _, door := range []clientcredentials.Door{clientcredentials.ClientSecretBasic, clientcredentials.ClientSecretPost} {
		synctest.Test(t, func(t *testing.T) {
			i := &issuer{}
			s := i.source(t, func(cfg *clientcredentials.Config) {
				// RFC 8707, Section 2: multiple resource parameters MAY be used.
				cfg.Door, cfg.Parameters = door, url.Values{"resource": {"https://a.example.com", "https://b.example.com"}, "audience": {"c"}}
			})
			for range 2 {
				token(t, s)
				form, err := url.ParseQuery(i.last().body)
				if err != nil || fmt.Sprint(form["resource"], form["audience"]) != "[https://a.example.com https://b.example.com] [c]" {
					t.Errorf("%s: the request is %q", door, i.last().body)
				}
				time.Sleep(2 * time.Hour)
			}
		})
	}
}
