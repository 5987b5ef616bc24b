package clientcredentials

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// Config says which token a [Source] gets and where it may go. Credentials and one of Issuer and
// TokenEndpoint are required; every other field has a useful zero value.
type Config struct {
	// Issuer is the issuer's identifier, as in the token's iss claim. The token endpoint is read from
	// its discovery document when the first token is needed.
	Issuer string

	// TokenEndpoint is the URL that the token request goes to, or unix:// and the path of the socket of a
	// `countersign agent`. When it is set there is no discovery.
	TokenEndpoint string

	// Credentials gives the client's id and secret: [Static], [Env], [File], [Func], or a type of your own.
	// [PrivateKeyJWT], [AssertionFile] and [ClientCertificate] are for issuers that take a client without a secret, [Peer] for an agent.
	Credentials Credentials

	// Scopes are the full names of the scopes to ask for, such as "https://api.example.com/demo.read".
	// With none the issuer decides; Cognito then grants all scopes of the client.
	Scopes []string

	// Parameters are sent with the token request beside those that this package sends, for issuers that want more: "audience" at
	// Auth0, "resource" (RFC 8707), "aws_client_metadata" at Cognito. They are no place for a secret. GetClientToken and an agent
	// take none.
	Parameters url.Values

	// Door is the client authentication method, how a secret is shown. Zero means [ClientSecretBasic], or
	// [ClientSecretPost] when the discovery document says that the issuer takes only that. An assertion has one way only.
	Door Door

	// Origins are the origins, scheme://host[:port], to which [Source.Transport] may send the token.
	// With none the token goes to the origin of every request that the program makes itself, and not
	// to another origin that an answer redirects to.
	Origins []string

	// HTTPClient sends the token request; its redirect policy is not used, for redirects are refused.
	// Nil means [http.DefaultTransport], and an agent's socket takes nothing else. An attempt ends after 10 seconds whatever its Timeout says.
	HTTPClient *http.Client

	// StartSpread delays the first token request by a random time of up to this, so that many programs that
	// start together do not ask together: n of them then ask at about n/StartSpread. Zero asks at once.
	StartSpread time.Duration

	// Budget is how many token requests are expected. Zero expects nothing.
	Budget Budget

	// Observer is told what happens, for metrics and traces. Nil tells nobody.
	Observer Observer

	// Now is the wall clock, against which a token's exp claim is read; nil means [time.Now].
	// The life of a token is measured on the monotonic clock as well, so that a clock which is
	// set back does not lengthen it.
	Now func() time.Time

	// Logger is told what has no caller: a background renewal that failed, another secret in use,
	// fewer scopes than were asked for; at the level debug, a request that goes without the token. Nil logs nothing. It never sees a token or a secret.
	Logger *slog.Logger

	// InsecureAllowHTTP allows a token endpoint and APIs over plain HTTP on other hosts than the
	// loopback. Whoever can read that traffic has the secret and the token.
	InsecureAllowHTTP bool
}

// Door is how a client shows its credentials to the issuer: its client authentication method, by the name that
// token_endpoint_auth_methods_supported has for it (RFC 8414, Section 2), or Cognito's own operation.
type Door string

const (
	// ClientSecretBasic sends id and secret in the Authorization header (RFC 6749, Section 2.3.1).
	ClientSecretBasic Door = "client_secret_basic"

	// ClientSecretPost sends id and secret in the form (RFC 6749, Section 2.3.1).
	ClientSecretPost Door = "client_secret_post"

	// GetClientToken calls the GetClientToken operation of Cognito's JSON API, which needs no user
	// pool domain and no AWS credentials. It is called at the origin of Issuer, or at TokenEndpoint.
	GetClientToken Door = "GetClientToken"
)

// maxClientTokenScopes is Cognito's ScopeListType bound.
const maxClientTokenScopes = 50

// settings is a Config that was checked, parsed and copied.
type settings struct {
	issuer      string
	endpoint    string // empty: to be discovered
	socket      string // path of an agent's socket; empty without one
	credentials Credentials
	scopes      []string
	parameters  url.Values
	door        Door // empty: to be chosen from the discovery document
	origins     []*url.URL
	plainHTTP   bool
	spread      time.Duration
}

// settings checks all of the Config and reports every problem at once.
func (c Config) settings() (settings, error) {
	s := settings{issuer: c.Issuer, endpoint: c.TokenEndpoint, credentials: c.Credentials,
		scopes: slices.Clone(c.Scopes), parameters: cloneValues(c.Parameters), door: c.Door, plainHTTP: c.InsecureAllowHTTP, spread: c.StartSpread}
	var problems []error
	report := func(field string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("clientcredentials: Config.%s: %w", field, err))
		}
	}
	if c.Issuer == "" && c.TokenEndpoint == "" {
		report("Issuer", errors.New("is empty, and so is TokenEndpoint; one of them is required"))
	}
	if c.Issuer != "" {
		report("Issuer", s.checkIssuer())
	}
	if c.TokenEndpoint != "" {
		report("TokenEndpoint", s.checkEndpoint(c))
	}
	report("Credentials", s.checkCredentials())
	report("HTTPClient", c.checkHTTPClient())
	report("Scopes", checkScopes(c.Scopes, c.Door))
	report("Parameters", c.checkParameters())
	switch c.Door {
	case "", ClientSecretBasic, ClientSecretPost, GetClientToken:
	default:
		report("Door", fmt.Errorf("is %q; use %q, %q or %q", string(c.Door),
			string(ClientSecretBasic), string(ClientSecretPost), string(GetClientToken)))
	}
	if c.StartSpread < 0 {
		report("StartSpread", errors.New("is negative"))
	}
	report("Budget", c.Budget.check())
	for i, text := range c.Origins {
		origin, err := checkOrigin(text, c.InsecureAllowHTTP)
		report(fmt.Sprintf("Origins[%d]", i), err)
		s.origins = append(s.origins, origin)
	}
	return s, errors.Join(problems...)
}

// checkIssuer checks the issuer, and takes the address of Cognito's JSON API from it when that is asked.
func (s *settings) checkIssuer() error {
	u, err := checkURL(s.issuer, s.plainHTTP)
	if err != nil {
		return err
	}
	// OpenID Connect Discovery 1.0, Section 2: no query and no fragment component.
	if u.RawQuery != "" {
		return errors.New("has a query; an issuer has none")
	}
	if strings.HasSuffix(u.Hostname(), ".amazoncognito.com") {
		return errors.New("is the domain of a Cognito user pool; its issuer is https://cognito-idp.REGION.amazonaws.com/POOL_ID, " +
			"or give https://DOMAIN/oauth2/token as TokenEndpoint")
	}
	if s.door == GetClientToken && s.endpoint == "" {
		s.endpoint = clientTokenEndpoint(u)
	}
	return nil
}

// checkEndpoint checks where the token request goes, a URL or a socket.
func (s *settings) checkEndpoint(c Config) error {
	path, isSocket := strings.CutPrefix(c.TokenEndpoint, unixScheme)
	if !isSocket {
		_, err := checkURL(c.TokenEndpoint, c.InsecureAllowHTTP)
		return err
	}
	s.endpoint, s.socket = agentEndpoint, path
	return c.checkSocket()
}

func (s *settings) checkCredentials() error {
	c := s.credentials
	if c == nil {
		return errors.New("is nil; use Static, Env, File or Func")
	}
	if _, isPeer := c.(peer); isPeer && s.socket == "" {
		return errors.New("is Peer, which shows no secret; TokenEndpoint has to be an agent's socket")
	}
	if own, ok := c.(interface{ check() error }); ok {
		return own.check()
	}
	return nil
}

func checkScopes(scopes []string, door Door) error {
	for i, scope := range scopes {
		if !oauth.ValidScopeToken(scope) {
			return fmt.Errorf("%q is not one scope: RFC 6749, Section 3.3 allows no space, quote or backslash", scope)
		}
		if slices.Contains(scopes[:i], scope) {
			return fmt.Errorf("%q stands there twice", scope)
		}
	}
	if door == GetClientToken && len(scopes) > maxClientTokenScopes {
		return fmt.Errorf("has %d scopes; GetClientToken takes at most %d", len(scopes), maxClientTokenScopes)
	}
	return nil
}

// checkParameters reports what cannot be sent. Its errors never repeat a value.
func (c Config) checkParameters() error {
	switch {
	case len(c.Parameters) == 0:
		return nil
	case c.Door == GetClientToken:
		return errors.New("has parameters; the request of GetClientToken has no place for them")
	case strings.HasPrefix(c.TokenEndpoint, unixScheme):
		return errors.New("has parameters; an agent takes none, for it gives many programs one token")
	}
	for name := range c.Parameters {
		switch name {
		case "":
			return errors.New("has a parameter without a name")
		case "grant_type", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type":
			// RFC 6749, Section 3.2: request parameters MUST NOT be included more than once.
			return fmt.Errorf("has %q, which this package sends itself; it follows from Scopes and Credentials", name)
		}
	}
	return nil
}

func cloneValues(v url.Values) url.Values {
	clone := maps.Clone(v)
	for name, values := range clone {
		clone[name] = slices.Clone(values)
	}
	return clone
}

// checkURL parses an absolute URL to which a secret may be sent. Its errors never repeat the text: it may
// hold a password that somebody put there.
func checkURL(text string, plainHTTP bool) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return nil, errors.New("is not an absolute https URL")
	case u.User != nil:
		return nil, errors.New("has a user or password in it; give them as Credentials")
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		// RFC 6749, Section 3.2: the endpoint URI MUST NOT include a fragment component.
		return nil, errors.New("has a fragment")
	case !secure(u) && !plainHTTP:
		// RFC 6749, Section 3.2: the authorization server MUST require TLS; the loopback has no wire to read.
		return nil, errors.New("is plain http and not on the loopback; use https, or say InsecureAllowHTTP")
	}
	return u, nil
}

func checkOrigin(text string, plainHTTP bool) (*url.URL, error) {
	u, err := checkURL(text, plainHTTP)
	if err != nil {
		return nil, err
	}
	if (u.Path != "" && u.Path != "/") || u.RawQuery != "" {
		return nil, errors.New("has a path or a query; an origin is scheme://host[:port]")
	}
	return u, nil
}
