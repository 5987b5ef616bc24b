package serve

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
	"github.com/countersign-dev/countersign/cognito"
)

var (
	regionPattern  = regexp.MustCompile(`\A[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}\z`)
	accountPattern = regexp.MustCompile(`\A[0-9]{12}\z`)
)

// check fills in the defaults and says everything that is wrong with the configuration, where it stands.
func (c *Config) check() error {
	c.Listen = cmp.Or(c.Listen, "localhost:8081")
	c.Region = cmp.Or(c.Region, "us-east-1")
	c.AccountID = cmp.Or(c.AccountID, "000000000000")
	c.Log.Format, c.Log.Level = cmp.Or(c.Log.Format, "json"), cmp.Or(c.Log.Level, "info")
	if !c.given("drain.wait") {
		c.Drain.Wait = 5 * time.Second
	}
	if !c.given("drain.timeout") {
		c.Drain.Timeout = 20 * time.Second
	}
	var problems []error
	fail := func(key, format string, args ...any) {
		problems = append(problems, c.place(key).Errorf(key+" "+format, args...))
	}
	c.checkStore(fail)
	c.checkAddresses(fail)
	c.checkConnections(fail)
	c.checkKeys(fail)
	c.checkTriggers(fail)
	c.checkTraces(fail)
	if !regionPattern.MatchString(c.Region) {
		fail("region", "%s does not look like ap-southeast-1", document.Quote(c.Region))
	}
	if !accountPattern.MatchString(c.AccountID) {
		fail("accountId", "is not twelve digits; write it in quotes, or YAML takes its leading zeros away")
	}
	c.checkSealKey(fail)
	if c.Credentials == "" {
		fail("credentials", "is missing: the file of the access keys that may call the JSON API; make one with: countersign issuer credentials add FILE")
	}
	return errors.Join(problems...)
}

type failure func(key, format string, args ...any)

func (c *Config) checkStore(fail failure) {
	s := c.Store
	postgres := s.Postgres.DSNFile != "" || s.Postgres.DSNEnv != ""
	switch {
	case s.SQLite != "" && postgres:
		fail("store", "has both sqlite and postgres; keep one")
	case s.SQLite == "" && !postgres:
		fail("store", "has neither sqlite, a file for one process, nor postgres, a database for replicas")
	case s.Postgres.DSNFile != "" && s.Postgres.DSNEnv != "":
		fail("store.postgres", "has both dsnFile and dsnEnv; keep one")
	}
	if (c.TLS.Certificate == "") != (c.TLS.Key == "") {
		fail("tls", "needs both certificate and key")
	}
}

func (c *Config) checkKeys(fail failure) {
	if every := c.Keys.RotateEvery; every != 0 && every < cognito.MinRotation {
		fail("keys.rotateEvery", "is %v; the shortest is %v, or keys would pile up in the key set", every, cognito.MinRotation)
	}
	for _, pool := range slices.Sorted(maps.Keys(c.Keys.Algorithms)) {
		if alg := c.Keys.Algorithms[pool]; !slices.Contains([]string{"RS256", "ES256", "EdDSA"}, alg) {
			fail("keys.algorithms."+pool, "is %s, want RS256, ES256 or EdDSA", document.Quote(alg))
		}
	}
}

// checkTriggers makes the hooks, whose maker knows which URLs are none.
func (c *Config) checkTriggers(fail failure) {
	c.hooks = map[string]cognito.PreTokenHook{}
	for _, arn := range slices.Sorted(maps.Keys(c.Triggers)) {
		hook, err := cognito.NewWebhook(cognito.WebhookConfig{URL: c.Triggers[arn]})
		if err != nil {
			fail("triggers."+arn, "is no URL of a trigger: want https, or http to this machine, without user and fragment")
			continue
		}
		c.hooks[arn] = hook
	}
}

func (c *Config) checkAddresses(fail failure) {
	known := isHostPort(c.Listen)
	if !known {
		fail("listen", "%s is not of the form host:port, such as 0.0.0.0:8443", document.Quote(c.Listen))
	}
	if c.Admin.Listen != "" && !isHostPort(c.Admin.Listen) {
		fail("admin.listen", "%s is not of the form host:port, such as 127.0.0.1:9090", document.Quote(c.Admin.Listen))
	}
	// RFC 6749, Section 3.2: requests to the token endpoint transmit clear-text credentials, so TLS is required.
	if known && c.TLS.Certificate == "" && !c.InsecureAllowHTTP && !isLoopback(c.Listen) {
		fail("listen", "%s is reached by others, and without tls client secrets cross the network in clear; add tls.certificate and tls.key, "+
			"or insecureAllowHTTP: true where a proxy in front ends TLS", c.Listen)
	}
	if c.BaseURL == "" {
		if known && !isLoopback(c.Listen) {
			fail("baseURL", "is missing: the URL that callers reach the issuer at; it is in every token")
		}
		return
	}
	u, err := url.Parse(c.BaseURL)
	// OpenID Connect Discovery 1.0, Section 3: the issuer has scheme, host and optionally port and path, no query or fragment.
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(c.BaseURL, "?#") {
		fail("baseURL", "%s is not an absolute URL without user, query and fragment, such as https://issuer.example.com", document.Quote(c.BaseURL))
		return
	}
	if path := strings.TrimRight(u.Path, "/"); path != "" {
		fail("baseURL", "has the path %s; the issuer answers at the root of its host", document.Quote(path))
	}
}

func isHostPort(s string) bool {
	_, port, err := net.SplitHostPort(s)
	return err == nil && port != ""
}

// isLoopback says whether only this machine reaches the address.
func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

func (c *Config) given(key string) bool { _, ok := c.places[key]; return ok }

// place is where the key stands, or the nearest key above it that is there.
func (c *Config) place(key string) document.Place {
	for {
		if p, ok := c.places[key]; ok {
			return p
		}
		i := strings.LastIndexByte(key, '.')
		if i < 0 {
			return document.Place{File: c.Path}
		}
		key = key[:i]
	}
}

// errorAt is an error about the file that a key names.
func (c *Config) errorAt(key string, err error) error {
	return fmt.Errorf("%s: %s: %w", c.place(key), key, err)
}
