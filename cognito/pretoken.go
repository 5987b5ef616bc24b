package cognito

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// A PreTokenHook is a pre token generation trigger: it may add claims to a machine's access token and change its scopes.
// It stands for the Lambda function that a pool's LambdaConfig names, and is called while the client waits, from several
// goroutines at once. ctx ends after five seconds, as Cognito gives a function. An error refuses the token.
type PreTokenHook func(ctx context.Context, e PreTokenEvent) (AccessTokenGeneration, error)

// PreTokenEvent is what Cognito sends to a trigger of version V3_0 for the client_credentials grant.
type PreTokenEvent struct {
	Version       string          `json:"version"`       // 3
	TriggerSource string          `json:"triggerSource"` // TokenGeneration_ClientCredentials
	Region        string          `json:"region"`
	UserPoolID    string          `json:"userPoolId"`
	UserName      string          `json:"userName"` // ClientCredentials
	CallerContext PreTokenCaller  `json:"callerContext"`
	Request       PreTokenRequest `json:"request"`
	Response      struct {
		Overrides *struct{} `json:"claimsAndScopeOverrideDetails"` // null: it is the trigger's to fill
	} `json:"response"`
}

// PreTokenCaller is the app client that asks.
type PreTokenCaller struct {
	AWSSDKVersion string `json:"awsSdkVersion"`
	ClientID      string `json:"clientId"`
}

// PreTokenRequest is what the token would hold, and what the client sent along.
type PreTokenRequest struct {
	UserAttributes     struct{}          `json:"userAttributes"`     // a machine has none
	GroupConfiguration *struct{}         `json:"groupConfiguration"` // null
	Scopes             []string          `json:"scopes"`
	ClientMetadata     map[string]string `json:"clientMetadata,omitempty"` // aws_client_metadata, or ClientMetadata of GetClientToken
}

// AccessTokenGeneration is what a trigger wants changed: claimsAndScopeOverrideDetails.accessTokenGeneration of its
// answer. The zero value changes nothing. What is suppressed is not added.
type AccessTokenGeneration struct {
	ClaimsToAddOrOverride map[string]any `json:"claimsToAddOrOverride,omitempty"` // any JSON but null
	ClaimsToSuppress      []string       `json:"claimsToSuppress,omitempty"`
	ScopesToAdd           []string       `json:"scopesToAdd,omitempty"`
	ScopesToSuppress      []string       `json:"scopesToSuppress,omitempty"`
}

// hookTime is how long a trigger may take. Cognito: a function must answer within 5 seconds. Cognito then calls it up to
// two more times; here a token request fails at the first.
const hookTime = 5 * time.Second

// A hookError says how a trigger failed, in the three ways that the cognito-idp API knows.
type hookError struct {
	code, message, reason string
	cause                 error
}

func (e *hookError) Error() string { return e.reason }

func (e *hookError) Unwrap() error { return e.cause }

// errAnswer is the error of a hook whose answer cannot be used, as opposed to one that refuses.
type errAnswer struct{ reason string }

func (e errAnswer) Error() string { return "cognito: the trigger's answer: " + e.reason }

// errUnreachable is the error of a hook that did not answer.
var errUnreachable = errors.New("cognito: the trigger did not answer")

// asHookError sorts what a hook returned. Cognito: the codes and texts are those of the operations that sign a user in.
func asHookError(err error) *hookError {
	var answer errAnswer
	switch {
	case errors.As(err, &answer):
		return &hookError{CodeInvalidLambdaResponse, "Unrecognizable lambda output", "the pre token generation trigger's answer cannot be used: " + answer.reason, nil}
	case errors.Is(err, errUnreachable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &hookError{CodeUnexpectedLambda, "PreTokenGeneration invocation failed due to an unexpected error.", "the pre token generation trigger could not be reached, or did not answer in time", err}
	}
	return &hookError{CodeUserLambdaValidation, "PreTokenGeneration failed with an error.", "the pre token generation trigger refused", err}
}

// preTokenTrigger returns the Lambda ARN of the pool's trigger, if it is one that Cognito calls for machines.
//
// Cognito: only version V3_0 is called on client_credentials; V1_0 and V2_0 are for users.
func (p *UserPool) preTokenTrigger() string {
	if len(p.LambdaConfig) <= len(`{}`) {
		return ""
	}
	var config struct {
		PreTokenGenerationConfig struct{ LambdaVersion, LambdaArn string }
	}
	if json.Unmarshal(p.LambdaConfig, &config) != nil || config.PreTokenGenerationConfig.LambdaVersion != "V3_0" {
		return ""
	}
	return config.PreTokenGenerationConfig.LambdaArn
}

// preToken asks the pool's trigger, if it has one, and returns the scopes and the further claims of the token, the
// latter as JSON members that each begin with a comma.
func (s *Service) preToken(ctx context.Context, p *pool, c *client, scopes []string, metadata map[string]string) ([]string, []byte, error) {
	arn := p.preTokenTrigger()
	if arn == "" {
		return scopes, nil, nil
	}
	hook := s.config.PreTokenGeneration[arn]
	if hook == nil {
		return nil, nil, &hookError{CodeUnexpectedLambda, "PreTokenGeneration invocation failed due to configuration.",
			"the user pool's LambdaConfig names a pre token generation trigger that this issuer has no hook for", nil}
	}
	region, _, _ := strings.Cut(p.ID, "_")
	event := PreTokenEvent{
		Version: "3", TriggerSource: "TokenGeneration_ClientCredentials", Region: region, UserPoolID: p.ID, UserName: "ClientCredentials",
		CallerContext: PreTokenCaller{"aws-sdk-unknown-unknown", c.ClientID},
		Request:       PreTokenRequest{Scopes: append([]string{}, scopes...), ClientMetadata: metadata},
	}
	ctx, cancel := context.WithTimeout(ctx, hookTime)
	defer cancel()
	changes, err := hook(ctx, event)
	if err == nil {
		scopes, claims, err := changes.apply(c.ClientID, scopes)
		if err == nil {
			return scopes, claims, nil
		}
		return nil, nil, asHookError(err)
	}
	return nil, nil, asHookError(err)
}

// asTokenError: Cognito: what the token endpoint answers when a trigger fails is not documented.
func (e *hookError) asTokenError() *TokenError {
	return &TokenError{Code: oauth.InvalidRequest, Reason: e.reason, Status: http.StatusBadRequest, Err: e.cause}
}

// asAPIError: Cognito: the errors of GetClientToken list none of these; they are those of InitiateAuth.
func (e *hookError) asAPIError() *APIError {
	return &APIError{Code: e.code, Message: e.message, Status: http.StatusBadRequest, Err: e.asTokenError()}
}

// warnUncalled says at once what would otherwise show as a token that is refused.
func (s *Service) warnUncalled(ctx context.Context, p *UserPool) {
	if arn := p.preTokenTrigger(); arn != "" && s.config.PreTokenGeneration[arn] == nil {
		s.config.Logger.LogAttrs(ctx, slog.LevelWarn, "the user pool's LambdaConfig names a trigger that this issuer has no hook for: its tokens will be refused",
			slog.String("pool", p.ID), slog.String("arn", arn))
	}
}
