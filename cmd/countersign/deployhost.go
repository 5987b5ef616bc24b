package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// How often the load balancer is looked for, and how long it and the names may take to answer.
const (
	hostInterval = 2 * time.Second
	hostPatience = 10 * time.Second
)

// waitForHost waits, for --timeout at most, until the load balancer answers for the public host: a first deployment has none for some minutes.
// It does not wait for what a person has to do, as to make the host's record.
func (d *deployer) waitForHost(ctx context.Context) (string, error) {
	until := time.Now().Add(d.timeout)
	for {
		look, err := d.lookAtHost(ctx)
		switch {
		case err != nil:
			return "", err
		case look.missing == "":
			return look.balancer + " answers for " + d.cfg.Ingress.Host, nil
		case look.yours || time.Now().Add(hostInterval).After(until):
			return "", fmt.Errorf("%s; then: countersign deploy --image %s", look.missing, d.ref)
		}
		d.steps.line.say(look.missing)
		select {
		case <-time.After(hostInterval):
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// hostLook is what was seen of the way to the public host.
type hostLook struct {
	balancer string // its name
	missing  string // what is not there yet, and what to do about it; "" if all is
	yours    bool   // no waiting brings it: it is for a person to do
}

func (d *deployer) lookAtHost(ctx context.Context) (hostLook, error) {
	host := d.cfg.Ingress.Host
	balancer, err := d.kubectl.LoadBalancer(ctx, d.cfg.Service.Name)
	look := hostLook{balancer: balancer}
	ctx, cancel := context.WithTimeout(ctx, hostPatience)
	defer cancel()
	switch {
	case err != nil:
		return look, err
	case balancer == "":
		look.missing = "the Ingress has no load balancer yet: the AWS Load Balancer Controller makes it in some minutes; see: " + d.command("describe ingress "+d.cfg.Service.Name)
	case !resolves(ctx, host):
		look.missing = host + " has no address: make an alias record for it that points to " + balancer
		look.yours = resolves(ctx, balancer) // before that it is still being made
	default:
		if problem := unanswered(ctx, d.passOptions.client(d.client), "https://"+host+d.cfg.Ingress.Paths[0]); problem != "" {
			look.missing = host + " does not answer through " + balancer + " (" + problem + "); see: " + d.command("describe ingress "+d.cfg.Service.Name)
		}
	}
	return look, nil
}

func resolves(ctx context.Context, host string) bool {
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	return err == nil && len(addresses) > 0
}

// unanswered asks once, without a token, and says why there is no answer of the service: 502, 503 and 504 are those of a load balancer without
// healthy targets. What else comes is for the proof to judge, a wrong certificate too.
func unanswered(ctx context.Context, client *http.Client, address string) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err.Error()
	}
	res, err := client.Do(req)
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return ""
	case err != nil:
		return err.Error()
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	switch res.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return res.Status
	}
	return ""
}
