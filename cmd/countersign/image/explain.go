package image

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// explain says what a registry's error means for the person who pushes a tag, or with tag "" pulls, and what to do.
func (t target) explain(err error, tag string) error {
	registry := t.repository.RegistryStr()
	var answer *transport.Error
	if errors.As(err, &answer) {
		return t.explainAnswer(answer, tag)
	}
	var unknown x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	var lookup *net.DNSError
	var dial *net.OpError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"), errors.As(err, &record):
		return fmt.Errorf("registry %s speaks HTTP without TLS, where anybody on the way can read the password and change the image; "+
			"give it a certificate, or accept that with --insecure-http: %w", registry, err)
	case errors.As(err, &unknown):
		return fmt.Errorf("registry %s has a certificate of an authority that this machine does not know; name its PEM file in SSL_CERT_FILE: %w", registry, err)
	case errors.As(err, &lookup):
		return fmt.Errorf("registry %s: no such host; look for a slip in the name, or for a network that is not connected: %w", registry, err)
	case errors.As(err, &dial):
		return fmt.Errorf("registry %s does not answer; look whether it runs, at the port, and at HTTPS_PROXY: %w", registry, err)
	}
	return fmt.Errorf("registry %s: %w", registry, err)
}

// explainAnswer is for what the registry itself said.
func (t target) explainAnswer(answer *transport.Error, tag string) error {
	registry, repository := t.repository.RegistryStr(), t.repository.RepositoryStr()
	text := answer.Error()
	switch {
	case strings.Contains(text, "immutable") || answer.StatusCode == http.StatusConflict:
		return fmt.Errorf("tag %s of %s names another image already, and its tags are immutable; leave --tag out for a tag of its own, or name a new one: %w", tag, t.repository, answer)
	case answer.StatusCode == http.StatusUnauthorized && t.ecr != nil, answer.StatusCode == http.StatusForbidden && t.ecr != nil:
		return fmt.Errorf("amazon ecr refuses; the credentials need ecr:BatchCheckLayerAvailability, ecr:InitiateLayerUpload, ecr:UploadLayerPart, "+
			"ecr:CompleteLayerUpload, ecr:PutImage and ecr:BatchGetImage on repository/%s: %w", repository, answer)
	case answer.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("registry %s does not know you; log in first, with: docker login %s (or podman login): %w", registry, registry, answer)
	case answer.StatusCode == http.StatusForbidden:
		return fmt.Errorf("registry %s knows you, and does not let you use %s so; ask its owner, or log in as somebody else: %w", registry, repository, answer)
	case answer.StatusCode == http.StatusNotFound && tag == "":
		return fmt.Errorf("registry %s has no such image: look at its name and its digest: %w", registry, answer)
	case has(answer, transport.NameUnknownErrorCode) || answer.StatusCode == http.StatusNotFound:
		return fmt.Errorf("registry %s has no repository %s, and makes none when something is pushed; make it there first: %w", registry, repository, answer)
	case answer.StatusCode == http.StatusRequestEntityTooLarge:
		return fmt.Errorf("registry %s, or a proxy before it, takes no upload of this size: %w", registry, answer)
	case answer.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("registry %s limits how often it may be asked; wait, or log in for a higher limit: %w", registry, answer)
	}
	return fmt.Errorf("registry %s: %w", registry, answer)
}

func has(answer *transport.Error, code transport.ErrorCode) bool {
	for _, one := range answer.Errors {
		if one.Code == code {
			return true
		}
	}
	return false
}
