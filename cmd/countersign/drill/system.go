package drill

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cognito"
	"github.com/countersign-dev/countersign/examples/demo"
)

// system is an issuer, a guarded service and pods that call it.
type system struct {
	network network
	service *cognito.Service
	front   *front
	guard   *countersign.Guard
	mount   *mount
	pods    []*pod
	apiURL  string

	pool, clientID, secretID string
	serviceClock, podClock   atomic.Int64 // nanoseconds ahead of the issuer's

	began   time.Time
	tell    func(time.Duration, string)
	stepsMu sync.Mutex
	steps   []Step
	tally   tally
}

// pod is a program that calls the service.
type pod struct {
	source *clientcredentials.Source
	client *http.Client
}

const scope = demo.Resource + "/demo.read"

func newSystem(ctx context.Context, cfg Config) (*system, error) {
	s := &system{network: cfg.network, began: time.Now(), tell: cfg.Step}
	if err := s.open(ctx, cfg); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *system) open(ctx context.Context, cfg Config) error {
	s.front = &front{life: cfg.Life, began: s.began}
	base, err := s.network.serve(s.front)
	if err != nil {
		return err
	}
	if s.service, err = cognito.New(ctx, cognito.Config{Region: "eu-west-1", BaseURL: base}); err != nil {
		return err
	}
	if err := s.front.open(s.service, cfg); err != nil {
		return err
	}
	secret, err := s.seed(ctx)
	if err != nil {
		return err
	}
	if err := s.openAPI(); err != nil {
		return err
	}
	if s.mount, err = newMount(); err != nil {
		return err
	}
	if err := s.mount.put(s.clientID, secret); err != nil {
		return err
	}
	for range cfg.Pods {
		if err := s.addPod(); err != nil {
			return err
		}
	}
	if err := s.ready(ctx, secret); err != nil {
		return err
	}
	s.began = time.Now()
	s.front.began = s.began
	return nil
}

// seed makes a pool with a client, whose tokens live as short as Cognito lets them.
func (s *system) seed(ctx context.Context) (secret string, err error) {
	pool, err := s.service.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: "drill"})
	if err != nil {
		return "", err
	}
	s.pool = pool.UserPool.ID
	if _, err := s.service.CreateUserPoolDomain(ctx, cognito.CreateUserPoolDomainInput{UserPoolID: s.pool, Domain: "drill"}); err != nil {
		return "", err
	}
	_, err = s.service.CreateResourceServer(ctx, cognito.CreateResourceServerInput{UserPoolID: s.pool, Identifier: demo.Resource, Name: "drill",
		Scopes: []cognito.ResourceServerScope{{ScopeName: "demo.read", ScopeDescription: "read"}, {ScopeName: "demo.write", ScopeDescription: "write"}}})
	if err != nil {
		return "", err
	}
	in := cognito.CreateUserPoolClientInput{UserPoolID: s.pool, ClientName: "reader", GenerateSecret: true}
	in.AllowedOAuthFlows, in.AllowedOAuthFlowsUserPoolClient = []string{"client_credentials"}, true
	in.AllowedOAuthScopes, in.SupportedIdentityProviders = []string{scope}, []string{"COGNITO"}
	in.AccessTokenValidity, in.TokenValidityUnits = int(issuerMin/time.Minute), &cognito.TokenValidityUnits{AccessToken: "minutes"}
	client, err := s.service.CreateUserPoolClient(ctx, in)
	if err != nil {
		return "", err
	}
	s.clientID = client.UserPoolClient.ClientID
	secrets, err := s.service.ListUserPoolClientSecrets(ctx, cognito.ListUserPoolClientSecretsInput{UserPoolID: s.pool, ClientID: s.clientID})
	if err != nil {
		return "", err
	}
	s.secretID = secrets.ClientSecrets[0].ClientSecretID
	return client.UserPoolClient.ClientSecret.Reveal(), nil
}

func (s *system) openAPI() (err error) {
	s.guard, err = countersign.New(countersign.Config{
		Issuer: s.service.Issuer(s.pool), Resource: demo.Resource, Logger: slog.New(slog.DiscardHandler),
		HTTPClient: &http.Client{Transport: s.network.transport()}, Now: ahead(&s.serviceClock),
	})
	if err != nil {
		return err
	}
	s.apiURL, err = s.network.serve(demo.NewAPI(s.guard))
	return err
}

// ready waits until the service has the issuer's keys, as Kubernetes waits for a readiness probe before it sends calls.
func (s *system) ready(ctx context.Context, secret string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	token, err := s.service.Token(ctx, cognito.TokenRequest{PoolID: s.pool, GrantType: "client_credentials", ClientID: s.clientID, ClientSecret: cognito.Secret(secret)})
	if err != nil {
		return err
	}
	for {
		_, err := s.guard.Authorize(ctx, token.AccessToken, countersign.Scope("demo.read"))
		if err == nil || wait(ctx, 100*time.Millisecond) != nil {
			return err
		}
	}
}

func (s *system) addPod() error {
	transport := s.network.transport()
	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer: s.service.Issuer(s.pool), Credentials: clientcredentials.File(s.mount.dir), Scopes: []string{scope},
		Origins: []string{s.apiURL}, HTTPClient: &http.Client{Transport: transport}, Now: ahead(&s.podClock),
	})
	if err != nil {
		return err
	}
	s.pods = append(s.pods, &pod{source: source, client: &http.Client{Transport: source.Transport(transport), Timeout: 30 * time.Second}})
	return nil
}

// ahead is a clock that is ahead of the issuer's.
func ahead(by *atomic.Int64) func() time.Time {
	return func() time.Time { return time.Now().Add(time.Duration(by.Load())) }
}

func (s *system) allPods(have func(*pod) bool) bool {
	for _, p := range s.pods {
		if !have(p) {
			return false
		}
	}
	return true
}

func (s *system) step(what string) {
	at := time.Since(s.began)
	s.stepsMu.Lock()
	s.steps = append(s.steps, Step{Seconds: at.Seconds(), What: what})
	s.stepsMu.Unlock()
	s.tell(at, what)
}

func (s *system) close() {
	for _, p := range s.pods {
		_ = p.source.Close() // it always returns nil
		p.client.CloseIdleConnections()
	}
	if s.guard != nil {
		_ = s.guard.Close()
	}
	s.network.close()
	if s.mount != nil {
		_ = os.RemoveAll(s.mount.root)
	}
}

// report counts what there is to count.
func (s *system) report(name string) Report {
	r := Report{Drill: name, Seconds: time.Since(s.began).Seconds(), Requests: s.tally.requests.Load(), Failed: s.tally.failed.Load(),
		Failures: s.tally.reasons(), TokenRequests: s.front.requests.Load(), Granted: s.front.granted.Load()}
	s.stepsMu.Lock()
	r.Steps = s.steps
	s.stepsMu.Unlock()
	r.Rate = float64(r.Requests) / r.Seconds
	r.StartPeak, r.Peak = s.front.peaks()
	r.Cost = clientcredentials.CognitoPrice().Cost(r.Granted)
	return r
}

// String is what people read.
func (r Report) String() string {
	text := fmt.Sprintf(`requests        %d, %.0f a second
failed          %d
token requests  %d, %d in the first second and then at most %d in one; %d granted: %.4f USD
`, r.Requests, r.Rate, r.Failed, r.TokenRequests, r.StartPeak, r.Peak, r.Granted, r.Cost)
	for _, reason := range sortedKeys(r.Failures) {
		text += fmt.Sprintf("  %d × %s\n", r.Failures[reason], reason)
	}
	if r.Incomplete != "" {
		text += "incomplete      " + r.Incomplete + "\n"
	}
	return text
}
