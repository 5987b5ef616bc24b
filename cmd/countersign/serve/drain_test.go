package serve_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

// begunRequest is a token request of which the first half of the body has been sent.
func begunRequest(t *testing.T, r running) (finish func() (*http.Response, error)) {
	t.Helper()
	read, write := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.Issuer()+"/"+r.pool+"/oauth2/token", read)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(*r.client.ClientId, *r.client.ClientSecret)
	type outcome struct {
		answer *http.Response
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		answer, err := (&http.Client{Transport: &http.Transport{}}).Do(request)
		done <- outcome{answer, err}
	}()
	if _, err := io.WriteString(write, "grant_type="); err != nil {
		t.Fatal(err)
	}
	return func() (*http.Response, error) {
		_, _ = io.WriteString(write, "client_credentials")
		write.Close()
		o := <-done
		return o.answer, o.err
	}
}

// TestTheEndFailsNoRequest: a load balancer that asks /readyz sees every request answered, and so does who is in the middle of
// one when nothing new is taken any more.
func TestTheEndFailsNoRequest(t *testing.T) {
	c := configure(t, "drain: {wait: 2s, timeout: 20s}\n")
	s := start(t, c)
	pool, client := provision(t, admin(t, s, c, "deployer"))
	r := running{s, c, pool, client}
	finish := begunRequest(t, r)

	var balancer, begun sync.WaitGroup
	failures := make(chan error, 4)
	for range 4 {
		begun.Add(1)
		balancer.Go(func() {
			failures <- sendWhileReady(t.Context(), r, &http.Client{Transport: &http.Transport{}}, begun.Done)
		})
	}
	begun.Wait()
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	balancer.Wait()
	for range 4 {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	for { // until nothing new is taken; each try leaves a port behind that is in use for a while
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.Address())
		if err != nil {
			break
		}
		conn.Close()
		<-time.After(10 * time.Millisecond)
	}
	answer, err := finish()
	if err != nil || answer.StatusCode != http.StatusOK || !answer.Close {
		t.Errorf("a request that had begun: %v, %v", answer, err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestTheEndFailsNoRequestOfHTTP2: many requests share a connection, which the server leaves with a GOAWAY.
func TestTheEndFailsNoRequestOfHTTP2(t *testing.T) {
	c := configure(t, "tls: {certificate: tls.crt, key: tls.key}\ndrain: {wait: 2s, timeout: 20s}\n")
	roots := x509.NewCertPool()
	writeCertificate(t, c, roots, 1)
	s := start(t, c)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	pool, machine := provision(t, admin(t, s, c, "deployer", func(o *idp.Options) { o.HTTPClient = client }))
	r := running{s, c, pool, machine}
	if answer, err := client.Get(s.Issuer() + "/healthz"); err != nil || answer.ProtoMajor != 2 {
		t.Fatalf("%v, %v", answer, err)
	}
	var callers, begun sync.WaitGroup
	failures := make(chan error, 8)
	for range 8 {
		begun.Add(1)
		callers.Go(func() { failures <- sendWhileReady(t.Context(), r, client, begun.Done) })
	}
	begun.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	callers.Wait()
	for range 8 {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
}

// sendWhileReady is a load balancer with one caller: it asks for tokens until the server says that it is not ready. It calls begun when it is
// under way, or has failed.
func sendWhileReady(ctx context.Context, r running, client *http.Client, begun func()) error {
	once := sync.OnceFunc(begun)
	defer once()
	for n := 0; ; n++ {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Issuer()+"/"+r.pool+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth(*r.client.ClientId, *r.client.ClientSecret)
		answer, err := client.Do(request)
		if err != nil {
			return fmt.Errorf("request %d: %w", n, err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("request %d: %s", n, answer.Status)
		}
		ready, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.AdminAddress()+"/readyz", nil)
		if err != nil {
			return err
		}
		probe, err := client.Do(ready)
		if err != nil {
			return fmt.Errorf("probe %d: %w", n, err)
		}
		probe.Body.Close()
		once()
		if probe.StatusCode == http.StatusServiceUnavailable {
			return nil
		}
	}
}
