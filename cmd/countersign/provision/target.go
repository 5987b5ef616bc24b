package provision

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
)

// Target is where the work is done. The same calls go to Amazon Cognito and to the local issuer.
type Target struct {
	Cognito  *idp.Client
	Region   string
	Account  string // of AWS, to be shown; "" if it is not known
	Endpoint string // of a stand-in for Cognito; "" is Amazon Cognito
	Local    bool   // a running `countersign dev`
	HTTP     *http.Client
}

// NewTarget makes the clients of the configuration.
func NewTarget(cfg sdk.Config, local bool, timeout time.Duration) Target {
	return Target{
		Cognito: idp.NewFromConfig(cfg), Region: cfg.Region, Local: local,
		Endpoint: aws.Endpoint(cfg, "COGNITO_IDENTITY_PROVIDER"), HTTP: aws.HTTPClient(timeout),
	}
}

// String names the target, as the head of a plan has it.
func (t Target) String() string {
	switch {
	case t.Local:
		return "the local issuer at " + t.Endpoint
	case t.Endpoint != "":
		return "Amazon Cognito's stand-in at " + t.Endpoint + ", region " + t.Region
	}
	if t.Account != "" {
		return "Amazon Cognito, account " + t.Account + ", region " + t.Region
	}
	return "Amazon Cognito, region " + t.Region
}

// once is for calls that would make a second one if they were made again after an answer was lost.
func once(o *idp.Options) { o.Retryer = aws.OnlyRefused(o.Retryer) }

// Addresses are the URLs of a pool that its clients need.
type Addresses struct {
	Issuer, TokenEndpoint string

	// unasked says that a stand-in for the JSON API alone has no token endpoint, and that the address is the one that Amazon
	// Cognito would have: nothing is sent there.
	unasked bool
}

// addresses of Amazon Cognito follow from the pool and its domain; a stand-in says its own in its discovery document.
func (t Target) addresses(ctx context.Context, pool *types.UserPoolType, domain string) (Addresses, error) {
	id := sdk.ToString(pool.Id)
	if t.Endpoint != "" {
		a, found, err := t.discover(ctx, strings.TrimSuffix(t.Endpoint, "/")+"/"+url.PathEscape(id))
		if err != nil || found {
			return a, err
		}
	}
	host := "cognito-idp." + t.Region + ".amazonaws.com"
	if c := pool.IssuerConfiguration; c != nil && c.Type == "UPDATED" {
		host = "issuer-" + host
	}
	return Addresses{
		Issuer:        "https://" + host + "/" + id,
		TokenEndpoint: "https://" + domain + ".auth." + t.Region + ".amazoncognito.com/oauth2/token",
		unasked:       t.Endpoint != "",
	}, nil
}

// discover reads OpenID Connect Discovery 1.0, Section 4. A stand-in that has none stands in for the JSON API alone; moto
// answers 500 then, which is told from a service in trouble by its key set and by a second answer.
func (t Target) discover(ctx context.Context, base string) (a Addresses, found bool, err error) {
	const path = "/.well-known/openid-configuration"
	status, body, err := t.get(ctx, base+path)
	if err == nil && status >= http.StatusInternalServerError {
		if keys, _, errKeys := t.get(ctx, base+"/.well-known/jwks.json"); errKeys == nil && keys == http.StatusOK {
			if status, body, err = t.get(ctx, base+path); err == nil && status >= http.StatusInternalServerError {
				return a, false, nil
			}
		}
	}
	switch {
	case err != nil:
		return a, false, fmt.Errorf("discovery document: %w", err)
	case status >= http.StatusInternalServerError, status == http.StatusTooManyRequests:
		return a, false, fmt.Errorf("discovery document: %s answers %d %s", base, status, http.StatusText(status))
	}
	var document struct {
		Issuer        string `json:"issuer"`
		TokenEndpoint string `json:"token_endpoint"`
	}
	if status != http.StatusOK || json.Unmarshal(body, &document) != nil || document.Issuer == "" || document.TokenEndpoint == "" {
		return a, false, nil
	}
	return Addresses{Issuer: document.Issuer, TokenEndpoint: document.TokenEndpoint}, true, nil
}

func (t Target) get(ctx context.Context, address string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, err
	}
	res, err := t.HTTP.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, body, err
}
