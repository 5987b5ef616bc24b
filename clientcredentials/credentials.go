package clientcredentials

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// Credentials gives the client's id and what proves it: [Static], [Env], [File] and [Func] a secret, [PrivateKeyJWT] and
// [AssertionFile] an assertion, [ClientCertificate] the connection, [Peer] nothing but the asking process.
//
// Load is called before each token request, never by two goroutines at once, and once more when the issuer
// refuses what it gave. It returns the preferred credential first; a second one is tried when the first is
// refused, so that a secret can be replaced while both live. Its ctx ends with the attempt. An error that has a method
// Temporary, as those of package net have, and says true is an outage: the next attempt comes as soon as after one of the issuer's.
//
// A type that keeps what it has read may be a [Reloader], to learn of a refusal.
type Credentials interface {
	Load(ctx context.Context) ([]Credential, error)
}

// Reloader is [Credentials] that are asked with Reload, in place of Load, when the issuer has refused what Load gave.
type Reloader interface {
	Credentials
	Reload(ctx context.Context) ([]Credential, error)
}

// ParseCredentials reads the JSON form of [File], for credentials that are kept elsewhere. Its errors say name and which member
// is wrong, and never what data holds.
func ParseCredentials(name string, data []byte) ([]Credential, error) {
	return parseCredentials(name, data)
}

// Credential is a client id and its secret. However it is printed, logged or marshalled, the secret
// reads "<redacted>".
type Credential struct {
	ClientID     string
	ClientSecret string

	// In place of a secret:
	signer    *privateKey // signs an assertion for each token request
	assertion string      // an assertion that somebody else signed, or that signer did for this request
	connected bool        // the connection says who asks: an agent's kernel, or the certificate of TLS
}

// String returns the client id.
func (c Credential) String() string { return c.ClientID + ":" + redacted }

// Format prints [Credential.String] for every verb, so that no verb reaches the fields.
func (c Credential) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is the text of [Credential.String].
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON returns [Credential.String] as a JSON string.
func (c Credential) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// check reports what makes c unusable. RFC 6749, Appendix A.1 and A.2: both are of visible characters;
// a line end inside is the usual sign of a file that holds something else.
func (c Credential) check() error {
	secretless := c.signer != nil || c.assertion != "" || c.connected
	if !secretless && (c.ClientID == "" || c.ClientSecret == "") {
		return errors.New("client id or client secret is empty")
	}
	if strings.ContainsFunc(c.ClientID+c.ClientSecret, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("client id or client secret has a control character, such as a line end, inside")
	}
	return nil
}

// Static is a client id and secret that do not change. Further secrets of the same client are tried
// when the first is refused.
func Static(id, secret string, others ...string) Credentials {
	list := &static{{ClientID: id, ClientSecret: secret}}
	for _, other := range others {
		*list = append(*list, Credential{ClientID: id, ClientSecret: other})
	}
	return list
}

// static is used as a pointer, so that a printed Config shows an address.
type static []Credential

func (s *static) Load(context.Context) ([]Credential, error) { return *s, nil }

func (s *static) check() error {
	for _, c := range *s {
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

// Env reads client id and secret from two environment variables. An environment cannot change under a
// running program: [File] is for secrets that are replaced.
func Env(idVar, secretVar string) Credentials { return env{idVar, secretVar} }

type env struct{ id, secret string }

func (e env) Load(context.Context) ([]Credential, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	return []Credential{{ClientID: os.Getenv(e.id), ClientSecret: os.Getenv(e.secret)}}, nil
}

func (e env) check() error {
	var problems []error
	for _, name := range []string{e.id, e.secret} {
		if os.Getenv(name) == "" {
			problems = append(problems, fmt.Errorf("the environment variable %q is not set", name))
		}
	}
	return errors.Join(problems...)
}

// Func is a function that is [Credentials].
type Func func(ctx context.Context) ([]Credential, error)

// Load calls f.
func (f Func) Load(ctx context.Context) ([]Credential, error) { return f(ctx) }

func (f Func) check() error {
	if f == nil {
		return errors.New("is a nil Func")
	}
	return nil
}
