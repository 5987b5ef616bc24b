package awsissuer

import (
	"errors"
	"regexp"
	"strings"
)

var (
	regionPattern = regexp.MustCompile(`\A[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}\z`)
	prefixPattern = regexp.MustCompile(`\A[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\z`)
)

// hosts are Cognito's in one region.
type hosts struct{ region string }

func newHosts(region string) (hosts, error) {
	if !regionPattern.MatchString(region) {
		return hosts{}, errors.New("awsissuer: the region does not look like ap-southeast-1")
	}
	return hosts{region}, nil
}

// issuers are the two hosts that a pool's issuer can be at, of which the first also has the JSON API.
func (h hosts) issuers() []string {
	return []string{"cognito-idp." + h.region + ".amazonaws.com", "issuer-cognito-idp." + h.region + ".amazonaws.com"}
}

// domains is the parent of every prefix domain.
func (h hosts) domains() string { return "auth." + h.region + ".amazoncognito.com" }

// prefix returns the domain prefix of a host; "" when it is none.
func (h hosts) prefix(host string) string {
	prefix, found := strings.CutSuffix(host, "."+h.domains())
	if !found || !prefixPattern.MatchString(prefix) {
		return ""
	}
	return prefix
}

func (h hosts) isIssuer(host string) bool {
	all := h.issuers()
	return host == all[0] || host == all[1]
}

// TokenEndpoint returns the URL of the token endpoint of a pool's prefix domain.
func TokenEndpoint(region, prefix string) string {
	return "https://" + prefix + "." + hosts{region}.domains() + "/oauth2/token"
}

// Proxied reports whether the host is one that the proxy answers for.
func Proxied(region, host string) bool {
	h := hosts{region}
	return h.isIssuer(host) || h.prefix(host) != ""
}
