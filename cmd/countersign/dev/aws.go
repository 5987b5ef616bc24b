package dev

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/countersign-dev/countersign/cmd/countersign/awsissuer"
	"github.com/countersign-dev/countersign/cmd/countersign/gateway"
	"github.com/countersign-dev/countersign/cognito"
)

// domainPrefix is the prefix domain of the pool, where it has none of its own.
const domainPrefix = "countersign-dev"

// awsFront is what answers at AWS's addresses; empty unless the issuer has AWS's own URL.
type awsFront struct {
	authority *awsissuer.Authority
	proxy     *awsissuer.Proxy
}

// proxied puts the proxy for Cognito's hosts in front of what the issuer's address answers.
func (s *System) proxied(outside, issuer http.Handler) (http.Handler, error) {
	if !s.steer.AWSIssuer {
		return outside, nil
	}
	authority, err := awsissuer.NewAuthority(s.Running.Region)
	if err != nil {
		return nil, err
	}
	proxy, err := awsissuer.New(awsissuer.Config{
		Region: s.Running.Region, Issuer: issuer, Pool: s.poolOf, Authority: authority, Logger: s.logger,
	})
	if err != nil {
		return nil, err
	}
	s.teardown.Add(func() error { return s.shutdown(proxy.Close) })
	s.steer.aws = awsFront{authority, proxy}
	s.Running.ProxyURL = s.Running.AWSURL
	edge, err := gateway.LoadOrCreateCA(s.state.path("ca"), s.kept.Sealer)
	if err != nil {
		return nil, err
	}
	if err := s.writeBundle(append(authority.PEM(), edge.PEM()...)); err != nil {
		return nil, err
	}
	return proxy.Handler(outside), nil
}

func (s *System) poolOf(prefix string) (string, bool) {
	out, err := s.service.DescribeUserPoolDomain(context.Background(), cognito.DescribeUserPoolDomainInput{Domain: prefix})
	if err != nil || out.DomainDescription.UserPoolID == "" || out.DomainDescription.CustomDomainConfig != nil {
		return "", false
	}
	return out.DomainDescription.UserPoolID, true
}

// nameDomain gives the pool a domain, which is where Cognito's token endpoint is.
func (s *System) nameDomain(ctx context.Context) error {
	if !s.steer.AWSIssuer {
		return nil
	}
	pool, err := s.service.DescribeUserPool(ctx, cognito.DescribeUserPoolInput{UserPoolID: s.Running.UserPoolID})
	if err != nil {
		return err
	}
	prefix := pool.UserPool.Domain
	if prefix == "" {
		prefix = domainPrefix
		// A state that another countersign.yaml was used with has another pool, whose domain it may be.
		for n := 2; ; n++ {
			if _, taken := s.poolOf(prefix); !taken {
				break
			}
			prefix = fmt.Sprintf("%s-%d", domainPrefix, n)
		}
		if _, err := s.service.CreateUserPoolDomain(ctx, cognito.CreateUserPoolDomainInput{UserPoolID: s.Running.UserPoolID, Domain: prefix}); err != nil {
			return fmt.Errorf("give the user pool a domain: %w", err)
		}
	}
	s.Running.TokenURL = awsissuer.TokenEndpoint(s.Running.Region, prefix)
	return nil
}

// issuerClient is the client with which a guard in this process reaches the issuer; nil for the default one.
func (s *System) issuerClient() (*http.Client, error) {
	if !s.steer.AWSIssuer {
		return nil, nil
	}
	return proxyClient(s.Running, s.steer.aws.authority.PEM())
}

// proxyClient returns a client that reaches Cognito's hosts through the proxy, and trusts pem for HTTPS.
func proxyClient(r Running, pem []byte) (*http.Client, error) {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errNotNetHTTP
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errNoCertificate
	}
	transport = transport.Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if r.ProxyURL != "" {
		proxy, err := url.Parse(r.ProxyURL)
		if err != nil {
			return nil, err
		}
		fallback := transport.Proxy
		transport.Proxy = func(req *http.Request) (*url.URL, error) {
			if awsissuer.Proxied(r.Region, req.URL.Hostname()) {
				return proxy, nil
			}
			return fallback(req)
		}
	}
	return &http.Client{Transport: transport}, nil
}

// proxyEnv is what a user's own service needs to reach the issuer: past the user's proxy, or at AWS's URL through one.
func (s *System) proxyEnv() (env []string) {
	variables := s.Running.ProxyVariables()
	if variables == nil {
		variables = NoProxy(os.Getenv)
	}
	for _, variable := range variables {
		env = append(env, variable[0]+"="+variable[1])
	}
	return env
}

// ProxyVariables are what a program that knows nothing of this system needs to reach the issuer at AWS's URL; none when
// the issuer's URL is of this machine.
func (r Running) ProxyVariables() [][2]string {
	if r.ProxyURL == "" {
		return nil
	}
	return [][2]string{
		{"HTTPS_PROXY", r.ProxyURL},
		{"https_proxy", r.ProxyURL},
		{"NO_PROXY", "localhost,127.0.0.1,::1"},
		{"no_proxy", "localhost,127.0.0.1,::1"},
		{"SSL_CERT_FILE", r.ProxyCA},       // Go, curl, OpenSSL
		{"CURL_CA_BUNDLE", r.ProxyCA},      // curl, which takes it before the other
		{"AWS_CA_BUNDLE", r.ProxyCA},       // AWS's CLI and SDKs
		{"REQUESTS_CA_BUNDLE", r.ProxyCA},  // Python
		{"NODE_EXTRA_CA_CERTS", r.ProxyCA}, // Node
		{"NODE_USE_ENV_PROXY", "1"},        // Node 24 and newer
	}
}
