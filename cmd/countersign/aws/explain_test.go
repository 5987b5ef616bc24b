package aws_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
)

// call makes a real call of the SDK to a server that answers as AWS does.
func call(t *testing.T, status int, code, message string) error {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		io.WriteString(w, `{"__type":"`+code+`","message":"`+message+`"}`)
	}))
	defer server.Close()
	return callAt(t, server.URL)
}

func callAt(t *testing.T, url string) error {
	t.Helper()
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	cfg, err := aws.Load(t.Context(), aws.Options{Region: "eu-west-1", Endpoint: url, Timeout: time.Minute, Credentials: someone})
	if err != nil {
		t.Fatal(err)
	}
	_, err = idp.NewFromConfig(cfg).CreateUserPool(t.Context(), &idp.CreateUserPoolInput{PoolName: sdk.String("orders")})
	return err
}

var someone = sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
	return sdk.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret-of-the-key"}, nil
})

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		name          string
		status        int
		code, message string
		want          string
	}{
		{"an expired session", 400, "ExpiredTokenException", "The security token included in the request is expired", "the AWS session has expired: log in anew"},
		{"an unknown key", 400, "UnrecognizedClientException", "The security token included in the request is invalid.", "aws sts get-caller-identity"},
		{"not allowed: the policy that allows it", 400, "AccessDeniedException", "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: cognito-idp:CreateUserPool",
			"the credentials may not do this; a policy that allows it:\n{\n  " + `"Version": "2012-10-17",` + "\n  " + `"Statement": [` + "\n    {\n      " + `"Effect": "Allow",` + "\n      " + `"Action": [` + "\n        " + `"cognito-idp:CreateUserPool"` + "\n      ]," + "\n      " + `"Resource": "*"`},
		{"a quota", 400, "LimitExceededException", "Too many pools", "Service Quotas"},
		{"throttled", 400, "TooManyRequestsException", "Rate exceeded", "run this again in a minute; it goes on where it stopped"},
		{"a domain of somebody else", 400, "InvalidParameterException", "Domain already associated with another user pool.", "a domain prefix belongs to one user pool of a region, of all accounts: write another pool.domain"},
		{"not in this region", 400, "ResourceNotFoundException", "User pool eu-west-1_x does not exist.", "it is not in region eu-west-1"},
		{"AWS in trouble", 500, "InternalErrorException", "oops", "AWS is in trouble: run this again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := aws.Explain(call(t, c.status, c.code, c.message), "eu-west-1")
			text := err.Error()
			if !strings.HasPrefix(text, "cognito-idp:CreateUserPool: "+c.code+": "+c.message) || !strings.Contains(text, c.want) {
				t.Errorf("got %s\nwant %s", text, c.want)
			}
			if aws.Code(err) != c.code {
				t.Errorf("the code is %q", aws.Code(err))
			}
			if strings.Contains(text, "secret-of-the-key") {
				t.Error("the key is in it")
			}
			if again := aws.Explain(err, "eu-west-1"); again.Error() != text {
				t.Errorf("explained twice: %v", again)
			}
		})
	}
}

func TestExplainWhatWasNotAnswered(t *testing.T) {
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer cut.Close()
	for _, c := range []struct {
		name, url, want string
		mayHaveWorked   bool
	}{
		{"nobody listens", "http://127.0.0.1:1", "cannot connect", false},
		{"the answer is lost", cut.URL, "whether it was done is not known: run this again", true},
		{"no such host", "http://1.2.3.4.5", "region", false}, // which no name server is asked for
	} {
		t.Run(c.name, func(t *testing.T) {
			err := callAt(t, c.url)
			if text := aws.Explain(err, "eu-west-1").Error(); !strings.Contains(text, c.want) {
				t.Errorf("got %s\nwant %s", text, c.want)
			}
			if aws.MayHaveWorked(err) != c.mayHaveWorked {
				t.Errorf("MayHaveWorked is %v", !c.mayHaveWorked)
			}
		})
	}
	if err := io.EOF; aws.Explain(err, "x") != err || aws.Explain(nil, "x") != nil {
		t.Error("what is not the SDK's is changed")
	}
}

// A call that makes something new each time is not made again when it may have worked; one that was throttled is.
func TestOnlyRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter)
		want   int
	}{
		{"throttled", func(w http.ResponseWriter) {
			w.WriteHeader(400)
			io.WriteString(w, `{"__type":"TooManyRequestsException"}`)
		}, 2},
		{"answered with 500", func(w http.ResponseWriter) { w.WriteHeader(500) }, 1},
		{"cut", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calls atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				c.answer(w)
			}))
			defer server.Close()
			t.Setenv("AWS_MAX_ATTEMPTS", "2")
			cfg, err := aws.Load(t.Context(), aws.Options{Region: "eu-west-1", Endpoint: server.URL, Credentials: someone})
			if err != nil {
				t.Fatal(err)
			}
			_, err = idp.NewFromConfig(cfg).CreateUserPool(t.Context(), &idp.CreateUserPoolInput{PoolName: sdk.String("orders")},
				func(o *idp.Options) { o.Retryer = aws.OnlyRefused(o.Retryer) })
			if err == nil || int(calls.Load()) != c.want {
				t.Errorf("%d calls, %v; want %d", calls.Load(), err, c.want)
			}
		})
	}
}

func TestLoadSaysWhatIsMissing(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_MAX_ATTEMPTS"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, c := range []struct {
		name, variable, value, region, want string
	}{
		{"no region", "", "", "", "no AWS region: write region in countersign.yaml, or set AWS_REGION"},
		{"no credentials", "", "", "eu-west-1", "no AWS credentials"},
		{"no such profile", "AWS_PROFILE", "nobody", "eu-west-1", `there is no profile "nobody"`},
		{"attempts", "AWS_MAX_ATTEMPTS", "many", "eu-west-1", `AWS_MAX_ATTEMPTS="many": write a number from 1 to 100`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.variable != "" {
				t.Setenv(c.variable, c.value)
			}
			_, err := aws.Load(t.Context(), aws.Options{Region: c.region})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			var explained *aws.Error
			if strings.HasPrefix(c.name, "no credentials") && !errors.As(err, &explained) {
				t.Errorf("%T", err)
			}
		})
	}
}
