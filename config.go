package countersign

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
	"github.com/countersign-dev/countersign/internal/oauth"
)

// Config says whose tokens a [Guard] believes and for what. Issuer and Resource are required; the zero value of
// every other field is the strict one.
type Config struct {
	// Issuer is the exact iss of the tokens, such as https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123.
	// Keys are found by its discovery document.
	Issuer string
	// Resource is the identifier of this service as the issuer knows it, such as https://api.example.com. It is the
	// prefix of its scopes in Cognito's tokens and the audience of RFC 9068's. There is no way to accept
	// tokens that are meant for somebody else.
	Resource string

	// Audience is what aud must contain. When it is empty, RFC 9068's tokens must contain Resource, and Cognito's,
	// which rarely have an aud, must not have a different one.
	Audience string
	// Profile is how tokens of the issuer are read. When it is empty, the issuer's URL decides: Cognito for the form of
	// a user pool, RFC9068 for all others.
	Profile Profile
	// Algorithms are the signature algorithms to accept: RS256, PS256, ES256, EdDSA. When empty: RS256.
	Algorithms []string
	// ClientIDs are the clients to accept. When nil: all of the issuer's that have a scope of the resource.
	ClientIDs []string
	// KeysURL is the address of the JWK set, for an issuer without a discovery document.
	KeysURL string
	// KeysFile is a JWK set that is read instead of asking the issuer. There is no network traffic then.
	KeysFile string
	// LastGoodFile is where the last good key set is kept, so that the process can start while the issuer is down. Each
	// issuer has a file of its own.
	LastGoodFile string

	// AlsoTrust are further issuers, each with its own keys and limits, for the days of a migration.
	AlsoTrust []Issuer

	// Leeway is for clocks that differ, on exp and nbf. Zero is a minute, negative is none; at most five minutes.
	Leeway time.Duration
	// MaxStale is how long the last good keys serve while the issuer cannot be reached. Zero is 24 hours; at least 15 minutes.
	MaxStale time.Duration
	// CacheBytes bounds the memory of verified tokens, which are not verified again. Zero is 64 MiB; negative turns
	// the cache off, and costs a public-key operation for each request; at most 1 GiB.
	CacheBytes int
	// ResourceMetadata serves RFC 9728's document about the resource from every Mux, at
	// /.well-known/oauth-protected-resource, and names it in challenges.
	ResourceMetadata bool

	// ProbeScope turns on the dry-run probe: a token of Issuer that has this scope, by its name in rules, and no other may ask
	// what would be decided, and calls no handler. docs/probe.md says what that gives away. Empty: there is no probe.
	ProbeScope string

	// HTTPClient asks the issuer. Nil is a client with bounds of its own.
	HTTPClient *http.Client
	// Now is the time by which tokens are judged. Nil is time.Now. The age of keys is measured by the machine's own clock.
	Now func() time.Time
	// Logger has one line for each decision: refusals at level Info, or Warn when the fault is ours, and the
	// others at Debug. It never has a token. Nil is slog.Default.
	Logger *slog.Logger
	// Observer is told of every decision and of what happens to the keys. It may be nil.
	Observer Observer
	// InsecureAllowHTTP lets keys be fetched over plain http from any host. Loopback needs no such permission.
	InsecureAllowHTTP bool
}

// Issuer is a further issuer that a [Config] trusts. The fields are those of Config.
type Issuer struct {
	Issuer       string
	Audience     string
	Profile      Profile
	Algorithms   []string
	ClientIDs    []string
	KeysURL      string
	KeysFile     string
	LastGoodFile string
}

// Profile is a way to read access tokens. The two exclude each other (RFC 8725, Section 3.12): no token is good
// under both by accident.
type Profile string

const (
	// Cognito is Amazon Cognito's access token: token_use is "access", scopes have the resource's identifier
	// as prefix, there is usually no aud and never a typ.
	Cognito Profile = "cognito"
	// RFC9068 is the JWT profile of RFC 9068: typ is at+jwt, and aud, client_id, sub, iat and jti are required.
	RFC9068 Profile = "rfc9068"
)

// Defaults and bounds of Config.
const (
	defaultLeeway   = time.Minute
	maxLeeway       = 5 * time.Minute
	defaultMaxStale = 24 * time.Hour
	defaultCache    = 64 << 20
	maxCache        = 1 << 30 // the table of the cache is made at once, with a 64th of this
)

// cognitoHost is the host of a user pool's issuer, and cognitoPool its path. The host has two forms for one pool.
//
// Cognito: "issuer-" stands before the host of a pool whose IssuerConfiguration is UPDATED.
var (
	cognitoHost = regexp.MustCompile(`^(issuer-)?cognito-idp(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$`)
	cognitoPool = regexp.MustCompile(`^/[a-z0-9-]+_[0-9a-zA-Z]+$`)
)

// profileOf decides by the issuer's URL. A pool's path on another host is a stand-in for Cognito.
func profileOf(issuer string) Profile {
	u, err := url.Parse(issuer)
	if err == nil && cognitoPool.MatchString(u.Path) {
		return Cognito
	}
	return RFC9068
}

// issuerForms are the iss values of one pool: during a switch of IssuerConfiguration tokens of both are about.
func issuerForms(issuer string, profile Profile) []string {
	u, err := url.Parse(issuer)
	if err != nil || profile != Cognito || !cognitoHost.MatchString(u.Host) {
		return []string{issuer}
	}
	other, updated := strings.CutPrefix(u.Host, "issuer-")
	if !updated {
		other = "issuer-" + u.Host
	}
	return []string{issuer, u.Scheme + "://" + other + u.Path}
}

// validated returns the config with its defaults filled in and its slices copied, or everything that is wrong
// with it.
func (c Config) validated() (Config, []Issuer, error) {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	if c.Resource == "" {
		problem("Resource is required: the identifier of this service, such as https://api.example.com")
	} else if !oauth.ValidScopeToken(c.Resource) || strings.HasSuffix(c.Resource, "/") {
		problem("Resource %q: no spaces, quotes, backslashes or slash at the end, since scopes are written after it", c.Resource)
	}
	if err := c.checkProbe(); err != nil {
		problems = append(problems, err)
	}
	switch {
	case c.Leeway == 0:
		c.Leeway = defaultLeeway
	case c.Leeway < 0:
		c.Leeway = 0
	case c.Leeway > maxLeeway:
		problem("Leeway %v: more than %v accepts tokens long after their end; set the clock instead", c.Leeway, maxLeeway)
	}
	if c.MaxStale == 0 {
		c.MaxStale = defaultMaxStale
	} else if c.MaxStale < minMaxStale {
		// Between two refreshes a set is always a little stale; below this it would go in and out of service.
		problem("MaxStale %v: it must be at least %v, or zero for %v", c.MaxStale, minMaxStale, defaultMaxStale)
	}
	if c.CacheBytes == 0 {
		c.CacheBytes = defaultCache
	} else if c.CacheBytes > maxCache {
		problem("CacheBytes %d: more than 1 GiB; it is in bytes", c.CacheBytes)
	}
	if c.ResourceMetadata {
		if _, err := metadataURL(c.Resource); err != nil && c.Resource != "" {
			problems = append(problems, err)
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}

	issuers := append([]Issuer{{c.Issuer, c.Audience, c.Profile, c.Algorithms, c.ClientIDs, c.KeysURL, c.KeysFile, c.LastGoodFile}}, c.AlsoTrust...)
	for i := range issuers {
		name := "Issuer"
		if i > 0 {
			name = fmt.Sprintf("AlsoTrust[%d]: Issuer", i-1)
		}
		problems = append(problems, issuers[i].complete(name, c.Resource, c.InsecureAllowHTTP)...)
	}
	if len(problems) == 0 {
		problems = append(problems, twice(issuers)...)
	}
	if len(problems) > 0 {
		for i, err := range problems {
			problems[i] = fmt.Errorf("countersign: %w", err)
		}
		return c, nil, errors.Join(problems...)
	}
	return c, issuers, nil
}

// complete fills in the defaults of one issuer and says what is wrong with it.
func (i *Issuer) complete(name, resource string, allowHTTP bool) (problems []error) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	i.Algorithms, i.ClientIDs = slices.Clone(i.Algorithms), slices.Clone(i.ClientIDs)

	u, err := url.Parse(i.Issuer)
	switch {
	case i.Issuer == "":
		problem("%s is required: the iss of the tokens, such as https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123", name)
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		// RFC 8414, Section 2: no query or fragment.
		problem("%s: not the URL of an issuer: scheme, host and path, and nothing else", name)
	case u.Scheme == "http" && !allowHTTP && !isLoopback(i.Issuer):
		// Keys that come over plain http are the keys of whoever is on the way.
		problem("%s %q: https is required; InsecureAllowHTTP permits http", name, i.Issuer)
	case u.Scheme != "http" && u.Scheme != "https":
		problem("%s %q: https is required", name, i.Issuer)
	}

	switch i.Profile {
	case "":
		i.Profile = profileOf(i.Issuer)
	case Cognito, RFC9068:
	default:
		problem("%s: Profile %q is not %q or %q", name, i.Profile, Cognito, RFC9068)
	}
	if i.Profile == RFC9068 && i.Audience == "" {
		i.Audience = resource // RFC 9068, Section 4: aud must have the resource's own identifier
	}
	if len(i.Algorithms) == 0 {
		i.Algorithms = []string{string(jose.RS256)}
	}
	for _, alg := range i.Algorithms {
		if !jose.Algorithm(alg).Known() {
			problem("%s: Algorithms: %q is not RS256, PS256, ES256 or EdDSA", name, alg)
		}
	}
	switch {
	case i.ClientIDs != nil && len(i.ClientIDs) == 0:
		// A list that came out empty is neither everybody nor, silently, nobody.
		problem("%s: ClientIDs is a list of no client, and nobody could call; nil is every client of the issuer", name)
	case slices.Contains(i.ClientIDs, ""):
		problem("%s: ClientIDs has an empty id", name)
	}
	return problems
}

// twice finds issuers that are listed twice, in either form: which of the two limits holds would be left to
// their order. And it finds two of them with one file.
func twice(issuers []Issuer) (problems []error) {
	seen := map[string]bool{}
	for _, i := range issuers {
		if file := filepath.Clean(i.LastGoodFile); i.LastGoodFile != "" {
			if seen["file "+file] {
				problems = append(problems, fmt.Errorf("LastGoodFile %s is there twice: each issuer would overwrite the other's keys", i.LastGoodFile))
			}
			seen["file "+file] = true
		}
		for _, form := range issuerForms(i.Issuer, i.Profile) {
			if seen[form] {
				problems = append(problems, fmt.Errorf("AlsoTrust: %q is there twice", form))
			}
			seen[form] = true
		}
	}
	return problems
}
