package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// Cognito: a prefix domain is live within a minute.
const (
	domainPatience = 5 * time.Minute
	domainInterval = 2 * time.Second
)

// waitForDomain asks until the domain is ACTIVE: before that the token endpoint has no address.
func (e *executor) waitForDomain(ctx context.Context) error {
	if e.waiting == "" {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, domainPatience, errPatience)
	defer cancel()
	tick := time.NewTicker(domainInterval)
	defer tick.Stop()
	for {
		d, err := e.target.readDomain(ctx, e.waiting)
		switch {
		case err != nil:
			return err
		case d.Status == types.DomainStatusTypeActive:
			return nil
		case d.Status == types.DomainStatusTypeFailed:
			return fmt.Errorf("domain %s: Cognito says FAILED; remove it and run this again, or write another pool.domain", e.waiting)
		}
		e.progress.Waiting(fmt.Sprintf("waiting for the domain %s: %s", e.waiting, d.Status))
		select {
		case <-tick.C:
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errPatience) {
				return fmt.Errorf("domain %s is %s after %s; all else is done: run this again to wait on", e.waiting, d.Status, domainPatience)
			}
			return ctx.Err()
		}
	}
}

var errPatience = errors.New("the domain takes too long")
