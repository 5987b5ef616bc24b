package postgres

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// A caller is an app client whose secret is rotated while it asks for tokens.
type caller struct {
	pool, id string

	mu       sync.RWMutex // held for reading during a request, so that no secret is deleted that is under way
	secret   string
	secretID string
}

func (d *drill) newPool(name string) string {
	api := d.api(d.balancer.URL)
	pool, err := api.CreateUserPool(d.ctx, &cognitoidentityprovider.CreateUserPoolInput{PoolName: &name})
	if err != nil {
		d.t.Fatal(err)
	}
	_, err = api.CreateResourceServer(d.ctx, &cognitoidentityprovider.CreateResourceServerInput{
		UserPoolId: pool.UserPool.Id, Identifier: aws.String("https://api.example.com"), Name: aws.String("api"),
		Scopes: []types.ResourceServerScopeType{{ScopeName: aws.String("demo.read"), ScopeDescription: aws.String("read")}},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return aws.ToString(pool.UserPool.Id)
}

func (d *drill) newCallers(n int) (callers []*caller) {
	api := d.api(d.balancer.URL)
	for i := range n {
		pool := d.pools[i%len(d.pools)]
		made, err := api.CreateUserPoolClient(d.ctx, &cognitoidentityprovider.CreateUserPoolClientInput{
			UserPoolId: &pool, ClientName: aws.String(fmt.Sprint("caller-", i)), GenerateSecret: true,
			AllowedOAuthFlows: []types.OAuthFlowType{types.OAuthFlowTypeClientCredentials}, AllowedOAuthFlowsUserPoolClient: true,
			AllowedOAuthScopes: []string{"https://api.example.com/demo.read"},
		})
		if err != nil {
			d.t.Fatal(err)
		}
		c := &caller{pool: pool, id: aws.ToString(made.UserPoolClient.ClientId), secret: aws.ToString(made.UserPoolClient.ClientSecret)}
		list, err := api.ListUserPoolClientSecrets(d.ctx, &cognitoidentityprovider.ListUserPoolClientSecretsInput{UserPoolId: &pool, ClientId: &c.id})
		if err != nil || len(list.ClientSecrets) != 1 {
			d.t.Fatalf("the secrets of a new client: %v, %v", list, err)
		}
		c.secretID = aws.ToString(list.ClientSecrets[0].ClientSecretId)
		for _, r := range d.replicas {
			eventually(d.t, r.name+" knows a new client", func() bool { return d.secretsOf(r, c)[c.secretID] })
		}
		callers = append(callers, c)
	}
	return callers
}

// askForTokens goes through the balancer, and has every fourth token verified against one replica's key set.
func (d *drill) askForTokens(callers []*caller, worker int) {
	var verifying sync.WaitGroup
	defer verifying.Wait()
	for n := 0; d.pause(20 * time.Millisecond); n++ {
		token, ok := d.token(callers[rand.N(len(callers))])
		if ok && n%4 == 0 {
			at := time.Now()
			verifying.Go(func() { d.verify(token, d.replicas[(n/4+worker)%len(d.replicas)], at) })
		}
	}
}

func (d *drill) token(c *caller) (token string, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	request, err := http.NewRequest(http.MethodPost, d.balancer.URL+"/"+c.pool+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		d.problem("%v", err)
		return "", false
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	began := time.Now()
	res, err := d.client.Do(request)
	if err != nil {
		d.problem("a token request: %v", err)
		return "", false
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	switch {
	case res.Header.Get(nobodyUp) != "":
		d.count("token requests while no replica was up")
		return "", false
	case err != nil || res.StatusCode != http.StatusOK || json.Unmarshal(body, &answer) != nil:
		d.problem("a token request of client %s: %s %s (%v)", c.id, res.Status, body, err)
		return "", false
	}
	d.count("tokens")
	d.delay("a token", time.Since(began))
	return answer.AccessToken, true
}

// verify holds the replica to having the token's key, before it is too late after the token was issued or, if that is later, after
// the database was back.
func (d *drill) verify(token string, r *replica, issued time.Time) {
	pool, kid, err := claimsOf(token)
	if err != nil {
		d.problem("a token: %v", err)
		return
	}
	life, up := r.life()
	for first := true; up; first = false {
		asked := time.Now()
		keys, err := d.keySet(r, pool)
		if now, still := r.life(); !still || now != life {
			return // it was killed; whoever starts reads everything
		}
		if key := keys[kid]; err == nil && key != nil {
			if err := verifySignature(token, key); err != nil {
				d.problem("a token fails to verify with the key set of %s: %v", r.name, err)
			}
			d.count("tokens verified")
			if !first {
				d.count("tokens whose key a replica did not have yet")
			}
			return
		}
		from := d.serverBack()
		if from.Before(issued) && !from.IsZero() {
			from = issued
		}
		if !from.IsZero() && asked.Sub(from) > tooLate {
			d.problem("%s does not have the key of a token %v after it was issued (%v)", r.name, time.Since(issued), err)
			return
		}
		<-time.After(10 * time.Millisecond)
	}
}

// keySet asks one replica for the keys of a pool, by key id.
func (d *drill) keySet(r *replica, pool string) (map[string]*rsa.PublicKey, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.address()+"/"+pool+"/.well-known/jwks.json", nil)
	if err != nil {
		return nil, err
	}
	res, err := d.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var set struct {
		Keys []struct{ Kid, N, E string }
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&set); err != nil || res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %w", res.Status, errors.Join(err))
	}
	keys := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys {
		n, errN := base64.RawURLEncoding.DecodeString(k.N)
		e, errE := base64.RawURLEncoding.DecodeString(k.E)
		if errN != nil || errE != nil {
			return nil, errors.Join(errN, errE)
		}
		keys[k.Kid] = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	}
	return keys, nil
}

// claimsOf returns the pool and the key id of a token.
func claimsOf(token string) (pool, kid string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", "", errors.New("it has no three parts")
	}
	var header struct{ Kid string }
	var claims struct{ Iss string }
	for i, into := range []any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			return "", "", err
		}
	}
	return claims.Iss[strings.LastIndexByte(claims.Iss, '/')+1:], header.Kid, nil
}

// verifySignature: RFC 7518, Section 3.3.
func verifySignature(token string, key *rsa.PublicKey) error {
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		return err
	}
	hash := sha256.Sum256([]byte(token[:dot]))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, hash[:], signature)
}
