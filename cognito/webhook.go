package cognito

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// WebhookConfig says where a trigger answers over HTTP. URL is required.
type WebhookConfig struct {
	// URL gets the event as a POST of JSON, and answers 200 with the event, its response filled in.
	URL string

	// Client sends the request. Nil means a client of its own. Redirects are not followed: a trigger decides what tokens
	// say, and only the URL that was configured is believed.
	Client *http.Client

	// InsecureAllowHTTP allows http to a host that is not this machine.
	InsecureAllowHTTP bool
}

// maxHookAnswer bounds the body of a trigger's answer.
const maxHookAnswer = 1 << 20

// NewWebhook returns a trigger that asks a URL. Where a Lambda function returns the event, the URL answers with it.
func NewWebhook(config WebhookConfig) (PreTokenHook, error) {
	u, err := url.Parse(config.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("cognito: WebhookConfig.URL is not an absolute http or https URL")
	case u.User != nil || u.Fragment != "":
		return nil, errors.New("cognito: WebhookConfig.URL has a user or a fragment")
	case u.Scheme == "http" && !config.InsecureAllowHTTP && !oauth.IsLoopback(u.Hostname()):
		return nil, errors.New("cognito: WebhookConfig.URL is http to another machine: who sits in between would decide what tokens say; set InsecureAllowHTTP to allow it")
	}
	client := &http.Client{}
	if config.Client != nil {
		copied := *config.Client
		client = &copied
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return func(ctx context.Context, e PreTokenEvent) (AccessTokenGeneration, error) {
		return ask(ctx, client, u.String(), e)
	}, nil
}

// ask sends the event. Its errors quote neither the URL, whose query may hold a token, nor the answer.
func ask(ctx context.Context, client *http.Client, to string, e PreTokenEvent) (AccessTokenGeneration, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return AccessTokenGeneration{}, fmt.Errorf("cognito: encode the trigger's event: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return AccessTokenGeneration{}, errUnreachable
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := client.Do(r)
	if err != nil {
		return AccessTokenGeneration{}, unreachable(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return AccessTokenGeneration{}, fmt.Errorf("cognito: the trigger answered with status %d", res.StatusCode)
	}
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxHookAnswer+1))
	if err != nil {
		return AccessTokenGeneration{}, unreachable(err)
	}
	if len(answer) > maxHookAnswer {
		return AccessTokenGeneration{}, errAnswer{"it is larger than 1 MiB"}
	}
	return readHookAnswer(answer)
}

// unreachable keeps of a transport's error what names no URL.
func unreachable(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return fmt.Errorf("%w: %w", errUnreachable, op)
	}
	return errUnreachable
}
