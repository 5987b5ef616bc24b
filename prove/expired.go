package prove

import (
	"encoding/json"
	"errors"
	"time"
)

// expiredName is the bad token that an expired one of the issuer's own stands in for: everybody who was a client once can have that, and only
// the issuer can make one.
const expiredName = "bad token expired"

// minExpired is how long ago the token must have ended: no verifier's leeway is longer.
const minExpired = 5 * time.Minute

var errOtherIssuer = errors.New("the expired token is another issuer's")

// checkExpired says what speaks against the token.
func (c *Config) checkExpired(problem func(format string, args ...any)) {
	if c.Expired == "" {
		return
	}
	p, err := takeApart(c.Expired)
	var claims struct {
		Expiry *float64 `json:"exp"`
	}
	switch {
	case err != nil || json.Unmarshal([]byte(p.claims), &claims) != nil || claims.Expiry == nil:
		problem("Expired is no JWT with an exp")
	case time.Unix(int64(*claims.Expiry), 0).After(c.Now().Add(-minExpired)):
		problem("Expired has not been over for %s: a verifier may still take it, for the clocks' sake", minExpired)
	}
}

// expired is the token of a case that asks for one that has expired, where it cannot be made. It has to be like the good one but for its end.
func (r *runner) expired(c Case, good string, err error) (string, error) {
	if c.Name != expiredName || r.cfg.Expired == "" || !errors.Is(err, errNoSigner) {
		return "", err
	}
	now, errNow := takeApart(good)
	then, errThen := takeApart(r.cfg.Expired)
	if errNow != nil || errThen != nil || now.issuer != then.issuer {
		return "", errOtherIssuer
	}
	return r.cfg.Expired, nil
}
