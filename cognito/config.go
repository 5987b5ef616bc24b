package cognito

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Config says where a [Service] keeps its records and what its ids and URLs look like. The zero value is a service in
// memory, in us-east-1, whose issuers are those of AWS.
type Config struct {
	// Store keeps the records. Nil means a new [MemoryStore]: everything is lost when the process ends.
	Store Store

	// Region is the AWS region in ids, ARNs and issuers. Empty means us-east-1.
	Region string

	// AccountID is the AWS account in ARNs: twelve digits. Empty means 000000000000.
	AccountID string

	// BaseURL is the address under which [Handler] is served, such as http://localhost:8081: the issuer of a pool is
	// BaseURL/poolID. Empty means AWS's own, https://cognito-idp.<region>.amazonaws.com/<poolID>.
	BaseURL string

	// NewKey makes a signing key. Nil means RSA of 2048 bits, like Cognito's. A P-256 key makes a pool whose tokens
	// are signed with ES256, an Ed25519 key one with EdDSA; Cognito has neither. The key must be one that
	// [crypto/x509.MarshalPKCS8PrivateKey] can encode. It may be called from two goroutines at once. In a test it may return
	// one key again and again, which saves the making of two for each pool; such a key cannot be rotated.
	NewKey func() (crypto.Signer, error)

	// Algorithm says what the new keys of a pool sign with, by its name and, of a pool that exists, its id: RS256, or ES256
	// or EdDSA, which Cognito has not. Nil or "" leaves it to NewKey. Keys that are there stay until they are rotated.
	Algorithm func(name, id string) string

	// Accelerate returns what signs in the place of a signing key, such as the same key in another library or in hardware. It is
	// called once for each key, when it signs for the first time. Nil means that the keys sign themselves.
	Accelerate func(crypto.Signer) (crypto.Signer, error)

	// GuessDelay is how long the answer to a wrong client secret is held back at most, after a few for the same client id.
	// A right secret is never held back. Zero means that no answer is.
	GuessDelay time.Duration

	// Now is the clock. Nil means [time.Now].
	Now func() time.Time

	// Logger gets what has no caller to return to. Nil means that nothing is logged.
	Logger *slog.Logger

	// Audit gets an [Event] for each change, once it is durable and before its caller hears of it, in the order of the
	// changes; and, from [Handler], for each call and token request that was refused. It must not block for long, nor
	// change anything by the service itself: other changes wait for it. It is called from several goroutines at once.
	// Nil means that there is no record.
	Audit func(Event)

	// Trace begins a part of a token request that takes time and returns what ends it, for traces: "signature wait" until the
	// processors are free for one more signature, and "signature". The context is the request's. Nil means that nobody asks.
	Trace func(ctx context.Context, part string) (end func(error))

	// PreTokenGeneration are the pre token generation triggers, by the Lambda ARN that a pool's
	// LambdaConfig.PreTokenGenerationConfig names. A pool whose trigger is not among them issues no token. Only
	// LambdaVersion V3_0 is called: the others are for users.
	PreTokenGeneration map[string]PreTokenHook

	// IgnoreDisallowedScopes leaves a requested scope that the app client does not have out of the token, where otherwise
	// the request is refused with invalid_scope. Cognito's pages say both; its field answers are invalid_scope.
	IgnoreDisallowedScopes bool
}

var (
	regionPattern  = regexp.MustCompile(`\A[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}\z`)
	accountPattern = regexp.MustCompile(`\A[0-9]{12}\z`)
)

// withDefaults returns the configuration with nothing left empty, or everything that is wrong with it.
func (c Config) withDefaults() (Config, error) {
	var problems []error
	if c.Store == nil {
		c.Store = NewMemoryStore()
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.AccountID == "" {
		c.AccountID = "000000000000"
	}
	if !regionPattern.MatchString(c.Region) {
		problems = append(problems, errors.New("cognito: Config.Region does not look like ap-southeast-1"))
	}
	if !accountPattern.MatchString(c.AccountID) {
		problems = append(problems, errors.New("cognito: Config.AccountID is not twelve digits"))
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if !plainURL(c.BaseURL) {
		problems = append(problems, errors.New("cognito: Config.BaseURL is not an absolute http or https URL without user, query and fragment"))
	}
	if c.NewKey == nil {
		c.NewKey = generateRSA2048
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.PreTokenGeneration = maps.Clone(c.PreTokenGeneration)
	for arn, hook := range c.PreTokenGeneration {
		if hook == nil {
			problems = append(problems, fmt.Errorf("cognito: Config.PreTokenGeneration[%q] is nil", arn))
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, errors.Join(problems...)
}

func plainURL(s string) bool {
	if s == "" {
		return true
	}
	// OpenID Connect Discovery 1.0, Section 3: the issuer has scheme, host and optionally port and path, no query or fragment.
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil &&
		u.RawQuery == "" && !u.ForceQuery && u.Fragment == "" && !strings.HasSuffix(s, "#")
}
