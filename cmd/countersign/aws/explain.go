package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// An Error is a call of AWS that failed, said in the words of the person who has to do something about it. Its text holds
// what AWS answered, and no more of the request than the action.
type Error struct {
	Action string // as IAM has it, cognito-idp:CreateUserPool; "" where no call was made
	Code   string // AWS's, as AccessDeniedException; "" where AWS did not answer
	Text   string // what went wrong
	Advice string // what to do about it; may be several lines
	Err    error
}

// Error says what was called, what AWS answered, and what to do.
func (e *Error) Error() string {
	text := e.Text
	if e.Action != "" {
		text = e.Action + ": " + text
	}
	if e.Advice != "" {
		text += "\n" + e.Advice
	}
	return text
}

// Unwrap returns the SDK's error.
func (e *Error) Unwrap() error { return e.Err }

// Code returns AWS's code of the error, as ResourceNotFoundException, or "".
func Code(err error) string {
	var refused smithy.APIError
	if errors.As(err, &refused) {
		return refused.ErrorCode()
	}
	return ""
}

// Explain says what to do about an error of the SDK, in region. Other errors, and nil, are returned as they are.
func Explain(err error, region string) error {
	var call *smithy.OperationError
	var already *Error
	switch {
	case err == nil, errors.As(err, &already), !errors.As(err, &call):
		return err
	case errors.Is(err, context.Canceled):
		return context.Canceled
	}
	e := &Error{Action: action(call), Err: err}
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		e.Text, e.Advice = unanswered(call.Err, region)
		return e
	}
	e.Code = refused.ErrorCode()
	e.Text = strings.TrimSuffix(e.Code+": "+refused.ErrorMessage(), ": ")
	if status := statusOf(err); e.Code == "UnknownError" && status != 0 {
		e.Text = fmt.Sprintf("%d %s", status, http.StatusText(status))
	}
	e.Advice = advice(e, refused, region)
	return e
}

func advice(e *Error, refused smithy.APIError, region string) string {
	if e.Code == "UnknownOperationException" || strings.Contains(refused.ErrorMessage(), "scoped to correct service") {
		return "what answers is not this service, or is a stand-in that does not have it: is AWS_ENDPOINT_URL what you mean? For the running dev, use --local"
	}
	switch e.Code {
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired":
		return "the AWS session has expired: log in anew (aws sso login, or fresh keys in the environment) and run this again"
	case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidSignatureException", "SignatureDoesNotMatch", "MissingAuthenticationToken", "IncompleteSignatureException":
		return "AWS does not take these credentials: see who you are with `aws sts get-caller-identity`; a clock that is off by minutes spoils signatures too"
	case "AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "NotAuthorizedException":
		return "the credentials may not do this; a policy that allows it:\n" + Policy(region, e.Action)
	case "LimitExceededException":
		return "a quota of the account is reached: remove what is not used, or ask for more at Service Quotas (https://console.aws.amazon.com/servicequotas/)"
	case "OptInRequired", "SubscriptionRequiredException":
		return "the account has not enabled this service or region"
	case "ResourceNotFoundException":
		return "it is not in region " + region + ": check region and pool.id in countersign.yaml"
	}
	switch {
	case isThrottle(e.Err):
		return "AWS still throttles after several attempts: run this again in a minute; it goes on where it stopped"
	case domainTaken(refused):
		return "a domain prefix belongs to one user pool of a region, of all accounts: write another pool.domain in countersign.yaml"
	case statusOf(e.Err) >= http.StatusInternalServerError:
		return "AWS is in trouble: run this again; it goes on where it stopped"
	}
	return ""
}

func domainTaken(err smithy.APIError) bool {
	text := strings.ToLower(err.ErrorMessage())
	return strings.Contains(text, "domain") && (strings.Contains(text, "already associated") || strings.Contains(text, "already exists"))
}

// unanswered explains a call that has no answer: it was not sent, or the answer was lost.
func unanswered(err error, region string) (text, advice string) {
	var name *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return "no host " + name.Name, fmt.Sprintf("is %q the region's name, and is there a network?", region)
	case neverSent(err):
		return "cannot connect: " + rootCause(err), "is there a network, and is AWS_ENDPOINT_URL, if it is set, what you mean?"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time", "whether it was done is not known: run this again; it looks, and goes on where it stopped"
	}
	return "the answer was lost: " + rootCause(err), "whether it was done is not known: run this again; it looks, and goes on where it stopped"
}

// neverSent says whether the connection was not even made.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func rootCause(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Error()
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

func statusOf(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil && response.Response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}

// explainLoad is about the shared configuration files.
func explainLoad(err error) error {
	e := &Error{Text: "AWS configuration: " + err.Error(), Err: err}
	var profile config.SharedConfigProfileNotExistError
	if errors.As(err, &profile) {
		e.Text = fmt.Sprintf("AWS configuration: there is no profile %q", profile.Profile)
		e.Advice = "`aws configure list-profiles` names those that there are; AWS_PROFILE chooses one"
	}
	return e
}

func explainCredentials(err error) error {
	e := &Error{Text: "no AWS credentials", Err: err}
	text := err.Error()
	switch {
	case strings.Contains(text, "SSO") || strings.Contains(text, "sso"):
		e.Text = "the AWS session has expired or was not begun"
		e.Advice = "log in with `aws sso login` and run this again"
	case strings.Contains(text, "Expired"):
		e.Text = "the AWS session has expired"
		e.Advice = "log in anew and run this again"
	default:
		e.Advice = "log in with `aws sso login` or `aws configure`, or set AWS_PROFILE"
		e.Err = errors.Join(ErrNoCredentials, err)
	}
	return e
}
