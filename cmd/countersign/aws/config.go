package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// Options say which AWS it is. The zero value is what the environment and the shared configuration files say, as the AWS
// CLI reads them.
type Options struct {
	// Region is as ap-southeast-1. Empty means AWS_REGION, or the region of the profile.
	Region string

	// Endpoint is a stand-in's URL, as that of a running `countersign dev`. It comes with Credentials: then nothing is read
	// from the environment, so that no key of a real account is sent to a stand-in. Empty means AWS's own, or AWS_ENDPOINT_URL.
	Endpoint    string
	Credentials sdk.CredentialsProvider

	// Timeout bounds one attempt of one call. 0 means 30 seconds.
	Timeout time.Duration
}

// ErrNoRegion says that neither the caller nor the environment names a region.
var ErrNoRegion = errors.New("no AWS region: write region in countersign.yaml, or set AWS_REGION")

// ErrNoCredentials says that nobody is logged in to AWS on this machine.
var ErrNoCredentials = errors.New("no AWS credentials")

// Load returns the configuration for every client of the SDK. It looks for credentials at once: one error here, in place of
// one in the middle of the work.
func Load(ctx context.Context, o Options) (sdk.Config, error) {
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	attempts, err := maxAttempts()
	if err != nil {
		return sdk.Config{}, err
	}
	calls := awshttp.NewBuildableClient().WithTimeout(o.Timeout)
	retryer := func() sdk.Retryer { return newRetryer(attempts) }
	if o.Endpoint != "" {
		if o.Region == "" || o.Credentials == nil {
			return sdk.Config{}, errors.New("aws: an endpoint goes with a region and credentials")
		}
		return sdk.Config{
			Region: o.Region, BaseEndpoint: &o.Endpoint, Credentials: o.Credentials, HTTPClient: client{calls}, Retryer: retryer,
		}, nil
	}
	// The SDK's own log is silenced: what it warns of, as on a machine that is not in EC2, comes back as an error that says what to do.
	loads := []func(*config.LoadOptions) error{config.WithHTTPClient(calls), config.WithRetryer(retryer), config.WithLogger(logging.Nop{})}
	if o.Region != "" {
		loads = append(loads, config.WithRegion(o.Region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, loads...)
	if err != nil {
		return sdk.Config{}, explainLoad(err)
	}
	cfg.HTTPClient = client{cfg.HTTPClient} // it is not the one from before: AWS_CA_BUNDLE changes it
	if cfg.Region == "" {
		return sdk.Config{}, ErrNoRegion
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return sdk.Config{}, explainCredentials(err)
	}
	return cfg, nil
}

// Endpoint returns the URL that the environment or the shared configuration puts in the place of a service of AWS, or "".
// The service is named as the SDK does in AWS_ENDPOINT_URL_<SERVICE>, such as COGNITO_IDENTITY_PROVIDER.
func Endpoint(cfg sdk.Config, service string) string {
	if url := os.Getenv("AWS_ENDPOINT_URL_" + service); url != "" {
		return url
	}
	return sdk.ToString(cfg.BaseEndpoint)
}

const defaultAttempts = 6

// maxAttempts reads AWS_MAX_ATTEMPTS, which the SDK would leave to the configuration that [Options].Endpoint does without.
func maxAttempts() (int, error) {
	text := os.Getenv("AWS_MAX_ATTEMPTS")
	if text == "" {
		return defaultAttempts, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 100 {
		return 0, fmt.Errorf("AWS_MAX_ATTEMPTS=%q: write a number from 1 to 100, or unset it", text)
	}
	return n, nil
}

// HTTPClient returns a client for what is asked beside the SDK, with the timeout of one attempt.
func HTTPClient(timeout time.Duration) *http.Client {
	if timeout <= 0 {
		timeout = 30 * time.Second
	}
	return &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // credentials are never sent where a redirect points
	}}
}
