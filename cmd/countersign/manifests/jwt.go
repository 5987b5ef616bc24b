package manifests

import "strings"

// The limits of an Application Load Balancer's token check, from its user guide, "Verify JWTs using an Application Load Balancer".
const maxJWTURL = 256 // characters of the issuer, and of the key set's address

// jwtConfig is the annotation jwt-validation.
type jwtConfig struct {
	JWKSEndpoint     string     `json:"jwksEndpoint"`
	Issuer           string     `json:"issuer"`
	AdditionalClaims []jwtClaim `json:"additionalClaims,omitempty"`
}

type jwtClaim struct {
	Name   string   `json:"name"`
	Format string   `json:"format"`
	Values []string `json:"values"`
}

// jwtValidation is what an Application Load Balancer can check of a token: signature, issuer, life, and that it is an access
// token. It is a second look and not the decision. Scopes stay with the guard: which route needs which is not the load
// balancer's to know, and whether several values of a claim mean all or any is not documented.
func (r *renderer) jwtValidation() (string, error) {
	c := jwtConfig{Issuer: r.issuer, JWKSEndpoint: strings.TrimSuffix(r.issuer, "/") + "/.well-known/jwks.json"}
	// Cognito: ID tokens are signed with the same keys; token_use tells them apart.
	if _, ok := cognitoPool(r.issuer); ok {
		c.AdditionalClaims = []jwtClaim{{"token_use", "single-string", []string{"access"}}}
	}
	text, err := marshal(c)
	return string(text), err
}

// checkJWT refuses what the load balancer could not check: it would answer 401 to every caller.
func (r *renderer) checkJWT() {
	const member = "ingress.jwtValidation"
	if r.issuer == "" {
		return // said already
	}
	if _, ok := cognitoPool(r.issuer); !ok {
		// Only Cognito's keys are known beforehand: RS256, at a fixed address, and few of them.
		r.problems.at(member, "is true, and the issuer %s is not Cognito: the load balancer verifies RS256 alone, and needs the address of the key set, which only Cognito's issuer tells without being asked; "+
			"write false: the guard checks every token in any case", r.issuer)
		return
	}
	if len(r.issuer)+len("/.well-known/jwks.json") > maxJWTURL {
		r.problems.at(member, "is true, and the address of the key set of %s is longer than the %d characters that the load balancer takes", r.issuer, maxJWTURL)
	}
	algorithms := r.cfg.Kubernetes.Env["COUNTERSIGN_ALGORITHMS"]
	if algorithms != "" && strings.TrimSpace(algorithms) != "RS256" {
		r.problems.at(member, "is true, and kubernetes.env.COUNTERSIGN_ALGORITHMS is %s: the load balancer verifies RS256 alone and would refuse the rest", algorithms)
	}
}
