package manifests

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

// poolID is the id of a Cognito user pool: its region, an underscore, and letters and digits.
var poolID = regexp.MustCompile(`^([a-z]{2}(?:-[a-z]+)+-[0-9]+)_[A-Za-z0-9]+$`)

// CognitoIssuer is the issuer of a Cognito user pool, as the iss claim of its tokens has it.
func CognitoIssuer(id string) (string, error) {
	m := poolID.FindStringSubmatch(id)
	if m == nil {
		return "", fmt.Errorf("manifests: %q is no user pool id; one is such as ap-southeast-1_AbCdEf123", id)
	}
	return "https://cognito-idp." + m[1] + ".amazonaws.com/" + id, nil
}

// IssuerOf is the issuer that the file itself names. It is "" where the pool has no id there.
func IssuerOf(cfg *config.Config) (string, error) {
	if cfg.Pool.ID == "" {
		return "", nil
	}
	return CognitoIssuer(cfg.Pool.ID)
}

func (r *renderer) resolveIssuer() {
	r.issuer = r.options.Issuer
	if r.issuer == "" {
		var err error
		if r.issuer, err = IssuerOf(r.cfg); err != nil {
			r.problems.at("pool.id", "%q is no user pool id; one is such as ap-southeast-1_AbCdEf123", r.cfg.Pool.ID)
			return
		}
	}
	if r.issuer == "" {
		r.problems.at("pool.id", "the issuer is not known: without it the service does not know whose tokens to take. Write the id of the pool that "+
			"countersign provision printed, or pass --issuer https://cognito-idp.%s.amazonaws.com/<pool id>", r.cfg.Pool.Region)
		return
	}
	u, err := url.Parse(r.issuer)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
		r.problems.add("--issuer %q is no issuer; it is a URL such as https://cognito-idp.%s.amazonaws.com/<pool id>", r.issuer, r.cfg.Pool.Region)
		return
	}
	// RFC 9068, Section 4 and OpenID Connect Discovery, Section 3: an issuer uses https. The guard refuses another one at start-up.
	if u.Scheme != "https" {
		r.problems.add("--issuer %s is not https: the guard does not start with it in a cluster. The issuer of countersign dev is for this machine only", r.issuer)
		return
	}
	if pool, ok := cognitoPool(r.issuer); ok && r.cfg.Pool.Region != "" && !strings.HasPrefix(pool, r.cfg.Pool.Region+"_") {
		r.problems.at("pool.region", "is %s, and the issuer %s is of another region", r.cfg.Pool.Region, r.issuer)
	}
}

// cognitoIssuer is an issuer of Amazon Cognito: the classic one, or that of a pool whose issuer configuration was updated.
var cognitoIssuer = regexp.MustCompile(`^https://(?:issuer-)?cognito-idp\.[a-z0-9-]+\.amazonaws\.com/([a-z0-9-]+_[A-Za-z0-9]+)$`)

// cognitoPool returns the pool whose issuer it is, and whether it is Cognito's at all.
func cognitoPool(issuer string) (string, bool) {
	m := cognitoIssuer.FindStringSubmatch(issuer)
	if m == nil {
		return "", false
	}
	return m[1], true
}
