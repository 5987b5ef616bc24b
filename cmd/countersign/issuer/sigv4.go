package issuer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// SigV4Config says which signatures a [SigV4] accepts. The zero value of each optional field is a useful default.
type SigV4Config struct {
	Credentials []Credentials    // required: whose signatures count
	Regions     []string         // regions of the credential scope; empty: any, since a local issuer stands for every region
	Service     string           // service of the credential scope; empty: cognito-idp
	AccountID   string           // twelve digits, in the ARN of a user; empty: 000000000000
	Now         func() time.Time // the clock; nil: time.Now
}

// SigV4 is the server's side of AWS Signature Version 4 for a JSON API: it computes the signature of a request anew, with
// AWS' own signer, and compares. It is immutable and safe for concurrent use. [NewSigV4] makes one.
//
// Errors have AWS' codes and, where they are known, AWS' words. What AWS echoes of the Authorization header it leaves out:
// a client that sends the wrong kind of token there would find it in its log.
type SigV4 struct {
	users   map[string]Credentials // by access key id
	regions []string
	service string
	account string
	now     func() time.Time
	signer  *v4.Signer
}

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	amzDate    = "20060102T150405Z"

	// window is how far the signing time may lie from ours. Cognito's own error texts say "15 min." where newer services
	// have 5 ("Signature expired: … is now earlier than … (… - 15 min.)", as quoted in aws-amplify/amplify-js#3719).
	window = 15 * time.Minute
)

// NewSigV4 checks the configuration and reports every problem at once.
func NewSigV4(cfg SigV4Config) (*SigV4, error) {
	s := &SigV4{
		users:   make(map[string]Credentials, len(cfg.Credentials)),
		regions: slices.Clone(cfg.Regions),
		service: cfg.Service,
		account: cmp.Or(cfg.AccountID, "000000000000"),
		now:     cfg.Now,
		signer:  v4.NewSigner(),
	}
	if s.service == "" {
		s.service = "cognito-idp"
	}
	if s.now == nil {
		s.now = time.Now
	}
	var problems []error
	if len(cfg.Credentials) == 0 {
		problems = append(problems, errors.New("issuer: SigV4Config.Credentials is empty: nobody could sign"))
	}
	for i, c := range cfg.Credentials {
		if err := c.Validate(); err != nil {
			problems = append(problems, fmt.Errorf("issuer: SigV4Config.Credentials[%d]: %w", i, err))
		}
		if _, twice := s.users[c.AccessKeyID]; twice {
			problems = append(problems, fmt.Errorf("issuer: SigV4Config.Credentials[%d]: access key id %q comes twice", i, c.AccessKeyID))
		}
		s.users[c.AccessKeyID] = c
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return s, nil
}

// Authenticate returns nil if the request carries a valid signature over this body, and otherwise a *cognito.APIError.
// The body is what the caller has read from the request. It changes nothing in the request.
func (s *SigV4) Authenticate(r *http.Request, body []byte) error {
	a, err := authorizationOf(r)
	if err != nil {
		return err
	}
	signedAt, err := signingTime(r)
	if err != nil {
		return err
	}
	if err := s.checkScope(a, signedAt); err != nil {
		return err
	}
	if err := checkSignedHeaders(r, a.signedHeaders); err != nil {
		return err
	}
	user, known := s.users[a.accessKeyID]
	// The keys known here are long-term keys, which have no session token. One that comes along is another account's.
	if !known || len(r.Header.Values("X-Amz-Security-Token")) > 0 {
		return unrecognizedClient()
	}
	if err := s.checkWindow(signedAt); err != nil {
		return err
	}
	if err := s.checkSignature(r, body, a, user.SecretAccessKey, signedAt); err != nil {
		return err
	}
	// Only who has proved to be somebody is told what that one may do.
	return user.authorize(operation(r), a.region, s.account)
}

// checkScope: a signature is good for one day, region and service, so that a captured one opens nothing else.
func (s *SigV4) checkScope(a authorization, signedAt time.Time) error {
	if day := signedAt.Format("20060102"); a.date != day {
		return invalidSignature("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			a.date, day, signedAt.Format(amzDate))
	}
	if len(s.regions) > 0 && !slices.Contains(s.regions, a.region) {
		return invalidSignature("Credential should be scoped to a valid region, not '%s'. ", a.region)
	}
	if a.service != s.service {
		return invalidSignature("Credential should be scoped to correct service: '%s'. ", s.service)
	}
	if a.terminator != terminator {
		return invalidSignature("Credential should be scoped with a valid terminator: '%s', not '%s'.", terminator, a.terminator)
	}
	return nil
}

func (s *SigV4) checkWindow(signedAt time.Time) error {
	now := s.now().UTC()
	if oldest := now.Add(-window); signedAt.Before(oldest) {
		return invalidSignature("Signature expired: %s is now earlier than %s (%s - 15 min.)",
			signedAt.Format(amzDate), oldest.Format(amzDate), now.Format(amzDate))
	}
	if newest := now.Add(window); signedAt.After(newest) {
		return invalidSignature("Signature not yet current: %s is still later than %s (%s + 15 min.)",
			signedAt.Format(amzDate), newest.Format(amzDate), now.Format(amzDate))
	}
	return nil
}

// checkSignature signs a copy of the request that has the signed headers and no others, and compares.
func (s *SigV4) checkSignature(r *http.Request, body []byte, a authorization, secret Secret, signedAt time.Time) error {
	again := r.Clone(context.WithoutCancel(r.Context()))
	again.Header = make(http.Header, len(a.signedHeaders))
	again.ContentLength = 0 // the signer would add the header content-length
	for _, name := range a.signedHeaders {
		switch name {
		case "host": // the signer takes it from the request
		case "content-length":
			again.ContentLength = int64(len(body))
		default:
			key := http.CanonicalHeaderKey(name)
			if values := r.Header.Values(key); len(values) > 0 {
				again.Header[key] = slices.Clone(values)
			}
		}
	}
	// The hash of the body that was read, never the client's claim in X-Amz-Content-Sha256, nor UNSIGNED-PAYLOAD.
	hash := sha256.Sum256(body)
	key := aws.Credentials{AccessKeyID: a.accessKeyID, SecretAccessKey: secret.Reveal()}
	err := s.signer.SignHTTP(again.Context(), key, again, hex.EncodeToString(hash[:]), s.service, a.region, signedAt)
	if err != nil {
		return fmt.Errorf("issuer: compute a signature: %w", err)
	}
	want, err := parseAuthorization(again.Header.Get("Authorization"))
	if err != nil {
		return fmt.Errorf("issuer: read the signature just computed: %w", err)
	}
	// A header that was signed and did not arrive is missing from the copy's list as well.
	same := slices.Equal(want.signedHeaders, a.signedHeaders)
	if subtle.ConstantTimeCompare(want.signature, a.signature) != 1 || !same {
		return invalidSignature("The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

// signingTime reads X-Amz-Date. AWS also takes Date where that is missing; no SDK sends it, and two headers for one time
// are two readings of one request.
func signingTime(r *http.Request) (time.Time, error) {
	values := r.Header.Values("X-Amz-Date")
	if len(values) != 1 {
		return time.Time{}, incompleteSignature("Authorization header requires existence of one 'X-Amz-Date' header.")
	}
	signedAt, err := time.Parse(amzDate, values[0])
	if err != nil {
		return time.Time{}, incompleteSignature("Date must be in ISO-8601 'basic format'. Got %s. See http://en.wikipedia.org/wiki/ISO_8601",
			strconv.QuoteToASCII(clip(values[0])))
	}
	return signedAt, nil
}

// checkSignedHeaders: what decides over a request must be signed, or someone in between could send the same signature with
// another operation (X-Amz-Target), to another host, or later (X-Amz-Date).
func checkSignedHeaders(r *http.Request, signed []string) error {
	for _, name := range []string{"Host", "X-Amz-Date", "X-Amz-Target"} {
		if name == "X-Amz-Target" && len(r.Header.Values(name)) == 0 {
			continue // then there is no operation to protect, and the API refuses the request
		}
		if !slices.Contains(signed, strings.ToLower(name)) {
			return invalidSignature("'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	for _, name := range signed {
		// AWS' signer leaves these out, as all its SDKs do now, because proxies change them.
		if slices.Contains(unsignable, name) {
			return invalidSignature("'%s' cannot be a 'SignedHeader' here: sign without it.", name)
		}
	}
	return nil
}

var unsignable = []string{"authorization", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"}
