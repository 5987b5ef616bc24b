package portable

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/countersign-dev/countersign/cognito"
)

// FromAWS reads a pool of Amazon Cognito, or of whatever the configuration's endpoint is, as the document that
// [cognito.Service.ImportPool] takes. Of an app client with two secrets Cognito tells one; its signing keys it tells nobody.
//
// It makes one call for each app client, and Cognito allows five a second: what it throttles is asked again by the SDK.
func FromAWS(ctx context.Context, cfg sdk.Config, poolID string) ([]byte, error) {
	r := &awsReader{tap: &tap{}, pool: sdk.String(poolID)}
	r.api = idp.NewFromConfig(cfg, func(o *idp.Options) {
		r.tap.next = o.HTTPClient
		o.HTTPClient = r.tap
	})
	return r.read(ctx)
}

// A tap keeps the last answer as it came: the SDK's own types have other names for some members and lose the ones that this
// version of it does not know.
type tap struct {
	next idp.HTTPClient
	body []byte
}

// maxAnswer bounds an answer: a page of resource servers with all their scopes has some megabytes.
const maxAnswer = 32 << 20

// Do implements the SDK's HTTPClient.
func (t *tap) Do(r *http.Request) (*http.Response, error) {
	answer, err := t.next.Do(r)
	if err != nil {
		return nil, err
	}
	t.body, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	answer.Body.Close()
	if err != nil {
		return nil, err
	}
	if len(t.body) > maxAnswer {
		return nil, fmt.Errorf("an answer is larger than %d MiB", maxAnswer>>20)
	}
	answer.Body = io.NopCloser(bytes.NewReader(t.body))
	return answer, nil
}

// awsReader makes one call after the other.
type awsReader struct {
	api  *idp.Client
	tap  *tap
	pool *string

	domains, servers, clients []json.RawMessage
}

func (r *awsReader) read(ctx context.Context) ([]byte, error) {
	out, err := r.api.DescribeUserPool(ctx, &idp.DescribeUserPoolInput{UserPoolId: r.pool})
	pool, err := r.member("UserPool", err)
	if err != nil {
		return nil, err
	}
	if out.UserPool == nil {
		return nil, errors.New("DescribeUserPool: the answer is empty")
	}
	_, err = r.api.GetUserPoolMfaConfig(ctx, &idp.GetUserPoolMfaConfigInput{UserPoolId: r.pool})
	mfa, err := r.member("", err)
	if err != nil {
		return nil, err
	}
	for _, name := range []*string{out.UserPool.Domain, out.UserPool.CustomDomain} {
		if err := r.readDomain(ctx, name); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(r.readServers(ctx), r.readClients(ctx)); err != nil {
		return nil, err
	}
	return cognito.PoolDocument(pool, mfa, r.domains, r.servers, r.clients)
}

// member is a member of the last answer, or all of it.
func (r *awsReader) member(name string, err error) (json.RawMessage, error) {
	if err != nil || name == "" {
		return r.tap.body, err
	}
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(r.tap.body, &answer); err != nil || answer[name] == nil {
		return nil, fmt.Errorf("the answer has no %s", name)
	}
	return answer[name], nil
}

func (r *awsReader) readDomain(ctx context.Context, name *string) error {
	if sdk.ToString(name) == "" {
		return nil
	}
	_, err := r.api.DescribeUserPoolDomain(ctx, &idp.DescribeUserPoolDomainInput{Domain: name})
	domain, err := r.member("DomainDescription", err)
	r.domains = append(r.domains, domain)
	return err
}

func (r *awsReader) readServers(ctx context.Context) error {
	pages := idp.NewListResourceServersPaginator(r.api, &idp.ListResourceServersInput{UserPoolId: r.pool, MaxResults: sdk.Int32(50)})
	for pages.HasMorePages() {
		_, err := pages.NextPage(ctx)
		list, err := r.member("ResourceServers", err)
		if err != nil {
			return err
		}
		var servers []json.RawMessage
		if err := json.Unmarshal(list, &servers); err != nil {
			return errors.New("ListResourceServers: the answer is no list")
		}
		r.servers = append(r.servers, servers...)
	}
	return nil
}

func (r *awsReader) readClients(ctx context.Context) error {
	pages := idp.NewListUserPoolClientsPaginator(r.api, &idp.ListUserPoolClientsInput{UserPoolId: r.pool, MaxResults: sdk.Int32(60)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, c := range page.UserPoolClients {
			_, err := r.api.DescribeUserPoolClient(ctx, &idp.DescribeUserPoolClientInput{UserPoolId: r.pool, ClientId: c.ClientId})
			client, err := r.member("UserPoolClient", err)
			if err != nil {
				return err
			}
			r.clients = append(r.clients, client)
		}
	}
	return nil
}
