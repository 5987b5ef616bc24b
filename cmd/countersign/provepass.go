package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// passOptions are the flags that say what gets a request past the edge of a service, beside its token: a client certificate, an API key.
// None of them takes a secret: every user of a machine can read a command line.
type passOptions struct {
	cert, key string
	headers   []string

	certificates []tls.Certificate
	header       http.Header
}

func (o *passOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.cert, "cert", "", "PEM file of a certificate to show where the service asks its callers for one (mutual TLS), with those between it and its authority")
	flags.StringVar(&o.key, "key", "", "PEM file of the private key of --cert (default: the same file)")
	flags.StringArrayVar(&o.headers, "header", nil, "a header of every request to the service, as NAME=VARIABLE: the environment has its value, as that of an API key; repeatable")
}

// headerForm is NAME=VARIABLE. What does not look so may be a value, which is nothing for an error.
var headerForm = regexp.MustCompile("^([A-Za-z0-9!#$%&'*+.^_`|~-]+)=([A-Z_][A-Z0-9_]*)$")

// ownHeaders are what the cases themselves are made of, and what net/http writes.
var ownHeaders = []string{"Authorization", "Proxy-Authorization", "Cookie", "Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection"}

func (o *passOptions) check() error {
	var problems []error
	if o.key != "" && o.cert == "" {
		problems = append(problems, errors.New("--key is that of a certificate; name it with --cert FILE"))
	}
	seen := map[string]bool{}
	for _, text := range o.headers {
		m := headerForm.FindStringSubmatch(text)
		if m == nil {
			problems = append(problems, errors.New("--header: write NAME=VARIABLE, such as X-Api-Key=PARTNER_KEY, with the value in the variable: every user of a machine can read a command line"))
			continue
		}
		name := textproto.CanonicalMIMEHeaderKey(m[1])
		switch {
		case slices.Contains(ownHeaders, name):
			problems = append(problems, fmt.Errorf("--header %s: the cases of the proof set it themselves", name))
		case seen[name]:
			problems = append(problems, fmt.Errorf("--header %s is there twice", name))
		}
		seen[name] = true
	}
	return errors.Join(problems...)
}

// open reads what the flags name.
func (o *passOptions) open() error {
	o.header = http.Header{}
	var problems []error
	for _, text := range o.headers {
		name, variable, _ := strings.Cut(text, "=")
		value := os.Getenv(variable)
		switch {
		case value == "":
			problems = append(problems, fmt.Errorf("--header %s: the environment has no %s; export it", name, variable))
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
			problems = append(problems, fmt.Errorf("--header %s: %s has a line end or another control character in it", name, variable))
		}
		o.header.Set(name, value)
	}
	if o.cert != "" {
		key := o.key
		if key == "" {
			key = o.cert
		}
		certificate, err := tls.LoadX509KeyPair(o.cert, key)
		if err != nil {
			problems = append(problems, fmt.Errorf("--cert: %w", err))
		}
		o.certificates = []tls.Certificate{certificate}
	}
	return errors.Join(problems...)
}

// client is the one with which the service is asked. What it shows is shown to nobody else, the issuer neither.
func (o passOptions) client(to *http.Client) *http.Client {
	own := *to
	if base, ok := to.Transport.(*http.Transport); ok && len(o.certificates) > 0 {
		transport := base.Clone()
		transport.TLSClientConfig.Certificates = o.certificates
		own.Transport = transport
	}
	if len(o.header) > 0 {
		own.Transport = showing{own.Transport, o.header}
	}
	return &own
}

// showing is a transport that adds headers to every request which has none of that name.
type showing struct {
	http.RoundTripper
	header http.Header
}

// RoundTrip implements [http.RoundTripper]. A challenge that repeats what was sent gets no further: it would be in reports.
func (s showing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, values := range s.header {
		if _, is := r.Header[name]; !is {
			r.Header[name] = values
		}
	}
	res, err := s.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	for _, secret := range s.header {
		if len(secret[0]) < shortSecret {
			continue
		}
		for _, values := range res.Header {
			for i, value := range values {
				values[i] = strings.ReplaceAll(value, secret[0], "<redacted>")
			}
		}
	}
	return res, nil
}

// shortSecret is how long a value has to be that is one: a shorter one may be part of any word.
const shortSecret = 8
