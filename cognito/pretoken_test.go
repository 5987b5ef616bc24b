package cognito_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

const hookARN = "arn:aws:lambda:ap-southeast-1:000000000000:function:claims"

// hooked is a fixture whose pool has a trigger.
func hooked(t *testing.T, hook cognito.PreTokenHook) *fixture {
	t.Helper()
	f := newFixture(t)
	hooks := map[string]cognito.PreTokenHook{}
	if hook != nil {
		hooks[hookARN] = hook
	}
	f.service = newService(t, cognito.Config{Store: f.store, PreTokenGeneration: hooks})
	f.trigger("V3_0")
	return f
}

func (f *fixture) trigger(version string) {
	f.t.Helper()
	must(f.service.UpdateUserPool(f.t.Context(), cognito.UpdateUserPoolInput{UserPoolID: f.pool, PoolSettings: cognito.PoolSettings{
		LambdaConfig: json.RawMessage(`{"PreTokenGenerationConfig":{"LambdaVersion":"` + version + `","LambdaArn":"` + hookARN + `"}}`),
	}}))(f.t)
}

func (f *fixture) asking(metadata map[string]string) cognito.TokenRequest {
	return cognito.TokenRequest{PoolID: f.pool, GrantType: "client_credentials", ClientID: f.reader.ClientID, ClientSecret: f.reader.ClientSecret, ClientMetadata: metadata}
}

func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
	return claims
}

// TestPreTokenEvent: the event is Cognito's, member by member.
func TestPreTokenEvent(t *testing.T) {
	var got []byte
	f := hooked(t, func(_ context.Context, e cognito.PreTokenEvent) (cognito.AccessTokenGeneration, error) {
		got, _ = json.Marshal(e)
		return cognito.AccessTokenGeneration{}, nil
	})
	must(f.service.Token(t.Context(), f.asking(map[string]string{"tenant": "a"})))(t)
	want := `{"version":"3","triggerSource":"TokenGeneration_ClientCredentials","region":"ap-southeast-1","userPoolId":"` + f.pool +
		`","userName":"ClientCredentials","callerContext":{"awsSdkVersion":"aws-sdk-unknown-unknown","clientId":"` + f.reader.ClientID +
		`"},"request":{"userAttributes":{},"groupConfiguration":null,"scopes":["` + readScope + `"],"clientMetadata":{"tenant":"a"}},"response":{"claimsAndScopeOverrideDetails":null}}`
	if string(got) != want {
		t.Errorf("event\n got %s\nwant %s", got, want)
	}
}

// TestMetadataOfBothDoors: aws_client_metadata of the form and ClientMetadata of GetClientToken reach the trigger alike.
func TestMetadataOfBothDoors(t *testing.T) {
	f := hooked(t, func(_ context.Context, e cognito.PreTokenEvent) (cognito.AccessTokenGeneration, error) {
		return cognito.AccessTokenGeneration{ClaimsToAddOrOverride: map[string]any{"tenant": e.Request.ClientMetadata["tenant"]}}, nil
	})
	api := f.client("api", cognito.ClientSettings{ExplicitAuthFlows: []string{"ALLOW_CLIENT_TOKEN_AUTH"}, AllowedOAuthScopes: []string{readScope}})
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{})}
	form := w.do(tokenRequest(f.pool, f.reader, "grant_type=client_credentials&aws_client_metadata=%7B%22tenant%22%3A%22a%22%7D"))
	call := w.call("GetClientToken", `{"ClientId":"`+api.ClientID+`","Secret":"`+api.ClientSecret.Reveal()+`","ClientMetadata":{"tenant":"a"}}`)
	for _, token := range []string{member(t, form.Body.Bytes(), "access_token"), member(t, call.Body.Bytes(), "ClientAuthenticationResult", "AccessToken")} {
		if got := claimsOf(t, strings.Trim(token, `"`))["tenant"]; got != "a" {
			t.Errorf("tenant %v", got)
		}
	}
}

func TestPreTokenChanges(t *testing.T) {
	var answer cognito.AccessTokenGeneration
	f := hooked(t, func(context.Context, cognito.PreTokenEvent) (cognito.AccessTokenGeneration, error) {
		return answer, nil
	})
	type claims = map[string]any
	for _, c := range []struct {
		name   string
		answer cognito.AccessTokenGeneration
		claim  string
		want   any
	}{
		{"string", cognito.AccessTokenGeneration{ClaimsToAddOrOverride: claims{"tenant": "a\"<b"}}, "tenant", "a\"<b"},
		{"boolean", cognito.AccessTokenGeneration{ClaimsToAddOrOverride: claims{"beta": true}}, "beta", true},
		{"number", cognito.AccessTokenGeneration{ClaimsToAddOrOverride: claims{"n": 1.5}}, "n", 1.5},
		{"aud is the client", cognito.AccessTokenGeneration{ClaimsToAddOrOverride: claims{"aud": f.reader.ClientID}}, "aud", f.reader.ClientID},
		{"groups", cognito.AccessTokenGeneration{ClaimsToAddOrOverride: claims{"cognito:groups": "g"}}, "cognito:groups", "g"},
		{"suppress beats override", cognito.AccessTokenGeneration{ClaimsToAddOrOverride: claims{"tenant": "a"}, ClaimsToSuppress: []string{"tenant"}}, "tenant", nil},
		{"dev: is suppressed", cognito.AccessTokenGeneration{ClaimsToSuppress: []string{"dev:tier"}}, "dev:tier", nil},
		{"scope added", cognito.AccessTokenGeneration{ScopesToAdd: []string{"x/y", readScope}}, "scope", readScope + " x/y"},
		{"scope suppressed", cognito.AccessTokenGeneration{ScopesToAdd: []string{"x/y"}, ScopesToSuppress: []string{readScope}}, "scope", "x/y"},
		{"all scopes suppressed", cognito.AccessTokenGeneration{ScopesToSuppress: []string{readScope}}, "scope", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer = c.answer
			got := claimsOf(t, must(f.service.Token(t.Context(), f.asking(nil)))(t).AccessToken)
			if got[c.claim] != c.want || got["client_id"] != f.reader.ClientID || got["token_use"] != "access" {
				t.Errorf("claims %v, want %s %v", got, c.claim, c.want)
			}
		})
	}
}

// TestImmutableClaims goes through Cognito's table: a trigger that touches one of these gets no token.
func TestImmutableClaims(t *testing.T) {
	var answer cognito.AccessTokenGeneration
	f := hooked(t, func(context.Context, cognito.PreTokenEvent) (cognito.AccessTokenGeneration, error) {
		return answer, nil
	})
	table := []string{"sub", "client_id", "event_id", "device_key", "version", "acr", "amr", "at_hash", "auth_time", "azp", "exp", "iat", "iss", "jti",
		"nbf", "nonce", "origin_jti", "token_use", "username", "identities", "cognito:username", "cognito:anything", "scope", ""}
	var answers []cognito.AccessTokenGeneration
	for _, name := range table {
		answers = append(answers, cognito.AccessTokenGeneration{ClaimsToAddOrOverride: map[string]any{name: "x"}}, cognito.AccessTokenGeneration{ClaimsToSuppress: []string{name}})
	}
	answers = append(answers,
		cognito.AccessTokenGeneration{ClaimsToAddOrOverride: map[string]any{"aud": "https://api.example.com"}},
		cognito.AccessTokenGeneration{ClaimsToAddOrOverride: map[string]any{"aud": []string{f.reader.ClientID}}},
		cognito.AccessTokenGeneration{ClaimsToSuppress: []string{"aud"}},
		cognito.AccessTokenGeneration{ClaimsToAddOrOverride: map[string]any{"dev:tier": "gold"}},
		cognito.AccessTokenGeneration{ClaimsToAddOrOverride: map[string]any{"x": nil}},
		cognito.AccessTokenGeneration{ClaimsToAddOrOverride: map[string]any{"x": make(chan int)}},
		cognito.AccessTokenGeneration{ClaimsToAddOrOverride: map[string]any{"x": strings.Repeat("x", 1<<16)}},
		cognito.AccessTokenGeneration{ScopesToAdd: []string{"a b"}},
		cognito.AccessTokenGeneration{ScopesToAdd: []string{""}},
		cognito.AccessTokenGeneration{ScopesToAdd: slices.Repeat([]string{"a"}, 5001)},
	)
	for _, answer = range answers {
		_, err := f.service.Token(t.Context(), f.asking(nil))
		var refused *cognito.TokenError
		if !errors.As(err, &refused) || refused.Code != "invalid_request" || refused.Status != http.StatusBadRequest {
			t.Errorf("%.80v: %v", answer, err)
		}
	}
}

// TestTriggerFailures: the bare code at one door, the API's names at the other, the reason inside.
func TestTriggerFailures(t *testing.T) {
	for _, c := range []struct {
		name         string
		hook         cognito.PreTokenHook
		code, reason string
	}{
		{"no hook for the ARN", nil, "UnexpectedLambdaException", "no hook for"},
		{"it refuses", func(context.Context, cognito.PreTokenEvent) (cognito.AccessTokenGeneration, error) {
			return cognito.AccessTokenGeneration{}, errors.New("secret of the hook")
		}, "UserLambdaValidationException", "refused"},
		{"bad answer", func(context.Context, cognito.PreTokenEvent) (cognito.AccessTokenGeneration, error) {
			return cognito.AccessTokenGeneration{ClaimsToSuppress: []string{"sub"}}, nil
		}, "InvalidLambdaResponseException", "claimsToSuppress has a claim that cannot be changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := hooked(t, c.hook)
			api := f.client("api", cognito.ClientSettings{ExplicitAuthFlows: []string{"ALLOW_CLIENT_TOKEN_AUTH"}, AllowedOAuthScopes: []string{readScope}})
			w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{Reasons: true})}
			form := w.do(tokenRequest(f.pool, f.reader, "grant_type=client_credentials"))
			if form.Code != 400 || form.Body.String() != `{"error":"invalid_request"}` {
				t.Errorf("token endpoint: %d %s", form.Code, form.Body)
			}
			call := w.call("GetClientToken", `{"ClientId":"`+api.ClientID+`","Secret":"`+api.ClientSecret.Reveal()+`"}`)
			if call.Code != 400 || member(t, call.Body.Bytes(), "__type") != `"`+c.code+`"` || strings.Contains(call.Body.String(), "secret of") {
				t.Errorf("GetClientToken: %d %s", call.Code, call.Body)
			}
			for _, res := range []*httptest.ResponseRecorder{form, call} {
				if got := res.Header().Get("countersign-reason"); !strings.Contains(got, c.reason) || strings.Contains(got, "secret of") {
					t.Errorf("countersign-reason: %q", got)
				}
			}
		})
	}
}

// TestTriggerTime: Cognito gives a function five seconds.
func TestTriggerTime(t *testing.T) {
	f := hooked(t, func(ctx context.Context, _ cognito.PreTokenEvent) (cognito.AccessTokenGeneration, error) {
		<-ctx.Done()
		return cognito.AccessTokenGeneration{}, ctx.Err()
	})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := f.service.Token(t.Context(), f.asking(nil))
		if took := time.Since(start); err == nil || took != 5*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// TestOtherVersionsAreNotCalled: Cognito calls V1_0 and V2_0 for users only.
func TestOtherVersionsAreNotCalled(t *testing.T) {
	f := hooked(t, nil)
	for _, version := range []string{"V1_0", "V2_0"} {
		f.trigger(version)
		must(f.service.Token(t.Context(), f.asking(nil)))(t)
	}
}

// TestTriggerNeedsItsTier: the LITE plan has no trigger for machines.
func TestTriggerNeedsItsTier(t *testing.T) {
	s := newService(t, cognito.Config{})
	lambda := cognito.PoolSettings{LambdaConfig: json.RawMessage(`{"PreTokenGenerationConfig":{"LambdaVersion":"V3_0","LambdaArn":"` + hookARN + `"}}`)}
	_, err := s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p", UserPoolTier: "LITE", PoolSettings: lambda})
	wantAPIError(t, err, "FeatureUnavailableInTierException", "")
	pool := must(s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p", UserPoolTier: "LITE"}))(t).UserPool.ID
	_, err = s.UpdateUserPool(t.Context(), cognito.UpdateUserPoolInput{UserPoolID: pool, UserPoolTier: "LITE", PoolSettings: lambda})
	wantAPIError(t, err, "FeatureUnavailableInTierException", "")
}
