package clientcredentials

import (
	"context"
	"errors"
)

// ClientCertificate is a client that the certificate of its connection proves (RFC 8705, Section 2): tls_client_auth and
// self_signed_tls_client_auth. The certificate and its key are in the TLS configuration of [Config].HTTPClient, whose
// GetClientCertificate may read them anew for each connection. Cognito does not take it; Keycloak does, for one.
func ClientCertificate(clientID string) Credentials { return clientCertificate(clientID) }

type clientCertificate string

func (c clientCertificate) check() error {
	if c == "" {
		return errors.New("the client id given to ClientCertificate is empty")
	}
	return nil
}

// Load implements [Credentials].
func (c clientCertificate) Load(context.Context) ([]Credential, error) {
	return []Credential{{ClientID: string(c), connected: true}}, nil
}

// checkHTTPClient reports that the certificate is nowhere.
func (c Config) checkHTTPClient() error {
	if _, ok := c.Credentials.(clientCertificate); ok && (c.HTTPClient == nil || c.HTTPClient.Transport == nil) {
		return errors.New("has no Transport, whose TLS configuration has the client's certificate")
	}
	return nil
}
