package dev_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/cmd/countersign/chaos"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/cognito"
)

// steered starts a system with steering, and returns the credentials of one of its clients.
func steered(t *testing.T, steering dev.Steering) (*dev.System, dev.Client) {
	t.Helper()
	cfg := config(t.TempDir())
	cfg.Steering = steering
	s := start(t, cfg)
	admin, err := dev.OpenAdmin(cfg.State, s.Running)
	if err != nil {
		t.Fatal(err)
	}
	client, err := admin.Client(t.Context(), dev.ReadClient)
	if err != nil {
		t.Fatal(err)
	}
	return s, client
}

// askToken asks as curl does.
func askToken(t *testing.T, client *http.Client, endpoint string, c dev.Client) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, endpoint, strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(c.ID, c.Secret.Reveal())
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func send(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(answer)
}

// TestFaultsBeginWhenTold: the proof at the start is of the service; from Begin on the issuer fails as asked.
func TestFaultsBeginWhenTold(t *testing.T) {
	plan, err := chaos.Parse("500=100", 7)
	if err != nil {
		t.Fatal(err)
	}
	s, client := steered(t, dev.Steering{Chaos: plan, Quotas: cognito.Rates{ClientAuthentication: 1}, ControlAddr: "localhost:0"})
	endpoint := s.Running.Issuer + "/oauth2/token"
	for range 3 {
		if res, body := askToken(t, http.DefaultClient, endpoint, client); res.StatusCode != 200 {
			t.Fatalf("before it begins: %d %s", res.StatusCode, body)
		}
	}
	s.Begin()
	if res, _ := askToken(t, http.DefaultClient, endpoint, client); res.StatusCode != 500 || res.Header.Get(chaos.Header) != "500" {
		t.Errorf("chaos: %d", res.StatusCode)
	}
	if status, body := send(t, "PUT", s.Running.ControlURL+"/chaos", `{"chaos":""}`); status != 200 {
		t.Fatal(body)
	}
	first, _ := askToken(t, http.DefaultClient, endpoint, client)
	second, body := askToken(t, http.DefaultClient, endpoint, client)
	for second.StatusCode == 200 && t.Context().Err() == nil { // there was a second between the two
		second, body = askToken(t, http.DefaultClient, endpoint, client)
	}
	if first.StatusCode != 200 || second.StatusCode != 429 || !strings.HasPrefix(second.Header.Get("countersign-reason"), "the quota is used up") {
		t.Errorf("quotas: %d, %d %s", first.StatusCode, second.StatusCode, body)
	}
}

// TestClock: the issuer's time is set, and a token that was good an hour ago is refused by the service.
func TestClock(t *testing.T) {
	s, client := steered(t, dev.Steering{ControlAddr: "localhost:0"})
	if status, body := send(t, "POST", s.Running.ControlURL+"/clock", `{"offset":"-2h"}`); status != 200 {
		t.Fatal(body)
	}
	for offset, want := range map[string]int{"-2h": 401, "0s": 200} {
		send(t, "POST", s.Running.ControlURL+"/clock", `{"offset":"`+offset+`"}`)
		_, body := askToken(t, http.DefaultClient, s.Running.Issuer+"/oauth2/token", client)
		var token struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.Unmarshal([]byte(body), &token); err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest("GET", s.Running.APIURL+"/api/demo/protectedRole/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token.AccessToken)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("clock at %s: %d, want %d", offset, res.StatusCode, want)
		}
	}
}

// TestAWSIssuer: a client that knows nothing but the proxy and the certificates walks from the issuer's URL to the service.
func TestAWSIssuer(t *testing.T) {
	s, client := steered(t, dev.Steering{AWSIssuer: true})
	if !strings.HasPrefix(s.Running.Issuer, "https://cognito-idp.ap-southeast-1.amazonaws.com/") {
		t.Fatalf("issuer %s", s.Running.Issuer)
	}
	through, err := s.Running.HTTPClient()
	if err != nil {
		t.Fatal(err)
	}
	defer through.CloseIdleConnections()
	res, err := through.Get(s.Running.Issuer + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var document struct {
		Issuer        string `json:"issuer"`
		TokenEndpoint string `json:"token_endpoint"`
	}
	if err := json.NewDecoder(res.Body).Decode(&document); err != nil || document.Issuer != s.Running.Issuer || document.TokenEndpoint != s.Running.TokenURL {
		t.Fatalf("%+v, %v", document, err)
	}
	if res, body := askToken(t, through, document.TokenEndpoint, client); res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	report, err := s.Prove(t.Context())
	if err != nil || !report.OK() {
		t.Errorf("%v, proved %t", err, report.OK())
	}
}

// TestTriggerOfAnEarlierStart: a pool that is kept may name a trigger that nothing answers for any more.
func TestTriggerOfAnEarlierStart(t *testing.T) {
	const arn = "arn:aws:lambda:ap-southeast-1:000000000000:function:claims"
	hook := func(context.Context, cognito.PreTokenEvent) (cognito.AccessTokenGeneration, error) {
		return cognito.AccessTokenGeneration{}, nil
	}
	for _, hooks := range []map[string]cognito.PreTokenHook{nil, {arn: hook}} {
		cfg := config(t.TempDir())
		cfg.Steering = dev.Steering{Hooks: hooks}
		s := start(t, cfg)
		if got := s.UncalledTrigger(); got != "" {
			t.Errorf("a pool without a trigger: %s", got)
		}
		setTrigger(t, cfg.State, s.Running, arn)
		if got := s.UncalledTrigger(); (got == arn) != (hooks == nil) {
			t.Errorf("%d hooks: %q", len(hooks), got)
		}
	}
}

// setTrigger names a trigger as AWS's tools do.
func setTrigger(t *testing.T, state dev.State, r dev.Running, arn string) {
	t.Helper()
	admin, err := dev.OpenAdmin(state, r)
	if err != nil {
		t.Fatal(err)
	}
	key := admin.Credentials()
	api := idp.New(idp.Options{
		Region: r.Region, BaseEndpoint: aws.String(r.AWSURL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey.Reveal()}, nil
		}),
	})
	_, err = api.UpdateUserPool(t.Context(), &idp.UpdateUserPoolInput{UserPoolId: aws.String(r.UserPoolID), LambdaConfig: &types.LambdaConfigType{
		PreTokenGenerationConfig: &types.PreTokenGenerationVersionConfigType{LambdaVersion: types.PreTokenGenerationLambdaVersionTypeV30, LambdaArn: aws.String(arn)},
	}})
	if err != nil {
		t.Fatal(err)
	}
}
