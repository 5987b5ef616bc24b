package image

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Registry says how registries are reached. Its zero value uses the credentials that docker login and podman login keep.
type Registry struct {
	Transport    http.RoundTripper                                             // nil for the default one
	Keychain     authn.Keychain                                                // nil for docker's and podman's files
	ECR          func(ctx context.Context, region string) (*ecr.Client, error) // for Amazon ECR's registries; nil to take them as any other
	InsecureHTTP bool                                                          // whether a registry may be spoken to without TLS
	ForceTag     bool                                                          // whether a tag that names another image is moved, where the registry lets it
	UserAgent    string
}

// host is a registry of Amazon ECR, by the name that AWS gave it.
type host struct {
	account, region string
}

// Registries of Amazon ECR: with IPv4, with both, in China, and with FIPS endpoints.
var ecrHost = regexp.MustCompile(`^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com|amazonaws\.com\.cn|on\.aws|on\.amazonwebservices\.com\.cn)$`)

func parseECR(registry string) (host, bool) {
	parts := ecrHost.FindStringSubmatch(registry)
	if parts == nil {
		return host{}, false
	}
	return host{account: parts[1], region: parts[2]}, true
}

// target is a repository, with the options that reach it.
type target struct {
	repository name.Repository
	options    []remote.Option
	ecr        *ecrRepository // nil for other registries
}

// target finds out how to reach a repository, and logs in where that is ours to do.
func (r Registry) target(ctx context.Context, repository string) (target, error) {
	var how []name.Option
	if r.InsecureHTTP {
		how = append(how, name.Insecure)
	}
	repo, err := name.NewRepository(repository, how...)
	if err != nil {
		return target{}, fmt.Errorf("repository %q: %w; write it with its registry and without a tag, as in registry.example.com/shop/orders", repository, err)
	}
	t := target{repository: repo, options: r.options(ctx)}
	e, is, err := r.ecrOf(ctx, repository)
	if err != nil {
		return target{}, err
	}
	if is {
		t.ecr = e
		login, err := t.ecr.login(ctx)
		if err != nil {
			return target{}, err
		}
		t.options = append(t.options, remote.WithAuth(login))
		return t, nil
	}
	t.options = append(t.options, remote.WithAuthFromKeychain(r.keychain()))
	return t, nil
}

func (r Registry) keychain() authn.Keychain {
	if r.Keychain == nil {
		return authn.DefaultKeychain
	}
	return r.Keychain
}

func (r Registry) options(ctx context.Context) []remote.Option {
	transport := r.Transport
	if transport == nil {
		transport = remote.DefaultTransport
	}
	agent := r.UserAgent
	if agent == "" {
		agent = "countersign"
	}
	return []remote.Option{remote.WithContext(ctx), remote.WithTransport(transport), remote.WithUserAgent(agent), remote.WithJobs(4)}
}

// CheckRepository reports whether the text names a repository as [Image.Push] takes it: with its registry, without tag or digest.
func CheckRepository(text string) error {
	if _, err := name.NewRepository(text, name.StrictValidation); err != nil || strings.Contains(text, "://") {
		return fmt.Errorf("image: repository %q: write it with its registry and without a tag, as in 123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/orders", text)
	}
	return nil
}

// CheckTag reports whether the text can be a tag.
func CheckTag(text string) error {
	if !tagGrammar.MatchString(text) {
		return fmt.Errorf("image: tag %q: a tag is 1 to 128 letters, digits, ., _ and -, and begins with none of . and -", text)
	}
	return nil
}

// OCI distribution specification 1.1, "Pulling manifests".
var tagGrammar = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
