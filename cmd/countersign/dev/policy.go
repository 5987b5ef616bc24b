package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/document"
	"github.com/countersign-dev/countersign/cmd/countersign/openapi"
	"github.com/countersign-dev/countersign/prove"
)

// OfferedPolicy is where a running service is asked for its policy if it has no file of it: see [countersign.Guard.PolicyHandler].
const OfferedPolicy = "/.well-known/countersign-policy"

// ErrNoPolicy says that nobody knows who may call what.
var ErrNoPolicy = errors.New("no policy")

// policy is what the system knows of the service's routes.
type policy struct {
	countersign.Policy
	examples map[string]prove.Example
	document []byte // as OpenAPI
}

// Policy is the policy of the service as it is now.
func (s *System) Policy() countersign.Policy {
	if p := s.policy.Load(); p != nil {
		return p.Policy
	}
	return countersign.Policy{}
}

// LoadPolicy reads the policy of the user's service, from its file or from the running service, and shows it to those who ask the
// system. It is called when the service has come up, and when the file has changed.
func (s *System) LoadPolicy(ctx context.Context) error {
	if s.app == nil {
		return nil
	}
	path := s.app.Config.Resolve(s.app.Config.Service.Policy)
	p, err := s.readPolicyFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if p, err = s.askForPolicy(ctx); errors.Is(err, ErrNoPolicy) {
			err = fmt.Errorf("%w: service.policy %s is not there, and GET %s of the service is none; let countersigntest.Golden write that file, "+
				"or let the service offer its own with Guard.PolicyHandler; in another language, name the service's OpenAPI document there", err, s.app.Config.Service.Policy, OfferedPolicy)
		}
	}
	if err != nil {
		return err
	}
	// The environment decides about the identifier of the resource server: rules name scopes without it.
	p.Issuer, p.Resource = s.Running.Issuer, s.Running.Resource
	if p.document, err = p.OpenAPI(); err != nil {
		return err
	}
	s.policy.Store(&p)
	return s.publish()
}

func (s *System) readPolicyFile(path string) (policy, error) {
	f, err := os.Open(path)
	if err != nil {
		return policy{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, document.MaxSize+1))
	if err != nil {
		return policy{}, fmt.Errorf("service.policy: %w", err)
	}
	beside, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return policy{}, fmt.Errorf("service.policy: %w", err)
	}
	defer beside.Close()
	return s.parsePolicy(path, data, beside.FS())
}

// parsePolicy reads a policy that Countersign wrote, or any team's OpenAPI document.
func (s *System) parsePolicy(name string, data []byte, beside fs.FS) (policy, error) {
	root, err := document.Parse(name, data)
	if err != nil {
		return policy{}, err
	}
	if root.Get("x-countersign-resource") != nil || root.Get("x-countersign-profile") != nil {
		own, err := countersign.ParsePolicy(data)
		if err != nil {
			return policy{}, fmt.Errorf("%s: %w", name, err)
		}
		return policy{Policy: own}, nil
	}
	target, err := url.Parse(s.Running.APIURL)
	if err != nil {
		return policy{}, err
	}
	doc, err := openapi.Read(name, data, beside, openapi.Config{Target: target})
	if err != nil {
		return policy{}, err
	}
	return policy{Policy: doc.Policy(), examples: doc.Examples()}, nil
}

// askForPolicy asks the running service, without a token and then as the prover.
func (s *System) askForPolicy(ctx context.Context) (policy, error) {
	if s.app.OwnStart {
		return policy{}, ErrNoPolicy // it is not up yet
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	data, status, err := s.get(ctx, OfferedPolicy, "")
	if err == nil && (status == http.StatusUnauthorized || status == http.StatusForbidden) {
		var token string
		if token, err = s.proverToken(ctx); err == nil {
			data, status, err = s.get(ctx, OfferedPolicy, token)
		}
	}
	if err != nil {
		return policy{}, err
	}
	if status != http.StatusOK {
		return policy{}, ErrNoPolicy
	}
	p, err := countersign.ParsePolicy(data)
	if err != nil {
		return policy{}, fmt.Errorf("%w: %w", ErrNoPolicy, err)
	}
	return policy{Policy: p}, nil
}

func (s *System) get(ctx context.Context, path, token string) (data []byte, status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Running.APIURL+path, nil)
	if err != nil {
		return nil, 0, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	data, err = io.ReadAll(io.LimitReader(res.Body, document.MaxSize))
	return data, res.StatusCode, err
}

func (s *System) proverToken(ctx context.Context) (string, error) {
	admin, err := OpenAdmin(s.state, s.Running)
	if err != nil {
		return "", err
	}
	client, err := admin.Client(ctx, prover)
	if err != nil {
		return "", fmt.Errorf("%w: the service asks for a token, and there is none: %w", ErrNoPolicy, err)
	}
	return client.Token(ctx, s.Running.Issuer, nil)
}
