package rotate

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/provision"
	"github.com/countersign-dev/countersign/cognito"
)

// Config is one rotation.
type Config struct {
	Target provision.Target
	Client provision.Client

	// Soak is how long the old secret lives on after the new one is the first. Negative means the place's own.
	Soak time.Duration
	// Patience bounds the wait until Cognito takes a secret that was added. 0 means a minute.
	Patience time.Duration

	Said    func(string) // a step is done
	Waiting func(string) // what is waited for
}

// Result is what a rotation came to.
type Result struct {
	Client   string `json:"client"`
	ClientID string `json:"client_id"`
	Place    string `json:"place"`
	Resumed  bool   `json:"resumed"` // an earlier run had begun it
	Removed  string `json:"removed_secret_id"`
	SecretID string `json:"secret_id"`
	Soak     string `json:"soak"`
}

// Run rotates the client's secret, or ends a rotation that was begun.
func Run(ctx context.Context, cfg Config) (Result, error) {
	r := &rotation{Config: cfg}
	r.Patience = cmp.Or(r.Patience, time.Minute)
	if r.Soak < 0 {
		r.Soak = cfg.Client.Place.Soak()
	}
	r.result = Result{Client: cfg.Client.Name, ClientID: cfg.Client.ID, Place: cfg.Client.Place.String(), Soak: r.Soak.String()}
	for n := 0; ; n++ {
		done, err := r.step(ctx, n == 0)
		if err != nil {
			return r.result, fmt.Errorf("rotate %s: %w", cfg.Client.Name, err)
		}
		if done {
			return r.result, nil
		}
	}
}

type rotation struct {
	Config
	result Result
}

// step looks, does one thing, and says whether it was the last.
func (r *rotation) step(ctx context.Context, first bool) (done bool, err error) {
	stored, err := r.Client.Place.Read(ctx)
	if err != nil {
		return false, err
	}
	if err := r.check(stored); err != nil {
		return false, err
	}
	secrets, err := r.Target.SecretIDs(ctx, r.Client.PoolID, r.Client.ID)
	if err != nil {
		return false, err
	}
	next, err := decide(stored, secrets)
	if err != nil {
		return false, err
	}
	if first {
		r.result.Resumed = next != begin
	}
	switch next {
	case begin:
		return false, r.begin(ctx, stored, secrets[0])
	case add:
		return false, r.add(ctx, *stored.Pending)
	case promote:
		return false, r.promote(ctx, stored, secrets)
	case remove:
		return false, r.remove(ctx, stored)
	}
	return true, r.finish(ctx, stored, secrets)
}

// check refuses what is not this client's stored credential.
func (r *rotation) check(stored provision.Stored) error {
	switch {
	case stored.Foreign != "":
		return fmt.Errorf("%s %s", r.Client.Place, stored.Foreign)
	case !stored.Found || stored.Leaving:
		return fmt.Errorf("%s does not exist; write it with: countersign provision", r.Client.Place)
	case stored.Credential.ClientID != r.Client.ID:
		return fmt.Errorf("%s holds the credentials of another client, %s, and this one is %s; write it anew with: countersign provision", r.Client.Place, stored.Credential.ClientID, r.Client.ID)
	}
	return nil
}

// begin stores the new secret before it is anybody's. A stored credential that does not work is none to begin with.
func (r *rotation) begin(ctx context.Context, stored provision.Stored, oldID string) error {
	works, err := r.Target.Works(ctx, stored.Credential, r.Client.Addresses)
	if err != nil {
		return err
	}
	if !works {
		return fmt.Errorf("the issuer refuses the secret in %s; write the right one with: countersign provision", r.Client.Place)
	}
	next := stored.Credential
	next.ClientSecret, next.Second, next.SecretID = newSecret(), stored.Credential.ClientSecret, ""
	next.Rotation = &provision.Rotation{OldID: oldID}
	if err := r.Client.Place.Stage(ctx, stored, next); err != nil {
		return err
	}
	r.Said("stored a new secret beside the current one in " + r.Client.Place.String())
	return nil
}

// add makes the staged secret Cognito's. When the answer is lost the next look shows whether it was done.
func (r *rotation) add(ctx context.Context, next provision.Credential) error {
	if err := r.Target.AddSecret(ctx, r.Client, next.ClientSecret); err != nil {
		secrets, errNow := r.Target.SecretIDs(ctx, r.Client.PoolID, r.Client.ID)
		if errNow != nil || len(secrets) < 2 {
			return err
		}
	}
	r.Said("added the new secret to the app client: both work")
	return nil
}

// promote proves the new secret by a token before anybody is told to use it first.
func (r *rotation) promote(ctx context.Context, stored provision.Stored, secrets []string) error {
	if err := r.prove(ctx, *stored.Pending); errors.Is(err, errRefused) {
		return fmt.Errorf("%w%s", err, r.wayOut(stored, secrets))
	} else if err != nil {
		return err
	}
	r.Said("asked for a token with the new secret, and got one")
	if err := r.Client.Place.Promote(ctx, stored); err != nil {
		return err
	}
	r.Said("made the new secret the first one in " + r.Client.Place.String())
	return nil
}

// wayOut says what ends a rotation whose secret Cognito never gets: another rotation of the same client, at the same moment
// and elsewhere, took the second place. Nobody knows whether that secret is in use, so it is not removed here.
func (r *rotation) wayOut(stored provision.Stored, secrets []string) string {
	for _, id := range secrets {
		if id != stored.Pending.Rotation.OldID {
			return fmt.Sprintf(". If it says so each time, the client's secret %s is another rotation's; remove it, and run this again: "+
				"aws cognito-idp delete-user-pool-client-secret --user-pool-id %s --client-id %s --client-secret-id %s",
				id, r.Client.PoolID, r.Client.ID, id)
		}
	}
	return ""
}

// remove takes the old secret away, once whoever read it before has had time to read the new one. The new one is proved
// again: between the two looks somebody may have removed it.
func (r *rotation) remove(ctx context.Context, stored provision.Stored) error {
	if err := r.wait(ctx); err != nil {
		return err
	}
	if err := r.prove(ctx, stored.Credential); err != nil {
		return err
	}
	old := stored.Credential.Rotation.OldID
	if err := r.Target.DeleteSecret(ctx, r.Client, old); err != nil {
		return err
	}
	r.result.Removed = old
	r.Said("removed the old secret from the app client")
	return nil
}

// finish forgets the old secret. The stored credential names the new one by its id from now on.
func (r *rotation) finish(ctx context.Context, stored provision.Stored, secrets []string) error {
	c := stored.Credential
	r.result.Removed = c.Rotation.OldID
	c.Second, c.Rotation, c.SecretID = "", nil, ""
	if len(secrets) == 1 {
		c.SecretID = secrets[0]
	}
	r.result.SecretID = c.SecretID
	return r.Client.Place.Write(ctx, stored, c)
}

func (r *rotation) wait(ctx context.Context) error {
	if r.Soak <= 0 {
		return nil
	}
	r.Waiting(fmt.Sprintf("waiting %s for running services to read the new secret; Ctrl-C is safe, the next run goes on here", r.Soak))
	timer := time.NewTimer(r.Soak)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("interrupted: both secrets work; run this again to remove the old one: %w", ctx.Err())
	}
}

var errRefused = errors.New("the issuer refuses the new secret")

// prove asks for a token until the issuer takes the secret: one that was added a moment ago may not be known everywhere.
func (r *rotation) prove(ctx context.Context, c provision.Credential) error {
	ctx, cancel := context.WithTimeout(ctx, r.Patience)
	defer cancel()
	pause := min(r.Patience/20, time.Second)
	for {
		works, err := r.Target.Works(ctx, c, r.Client.Addresses)
		if err == nil && works {
			return nil
		}
		if err == nil {
			err = errRefused
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w; the old one still works and stays: run this again", err)
		}
	}
}

// newSecret is as one of Cognito's own: 256 random bits in base 32, of letters and digits alone, so that no encoding of a
// header or a form changes it.
func newSecret() cognito.Secret {
	var bits [32]byte
	rand.Read(bits[:]) // it never fails: crypto/rand ends the program instead
	return cognito.Secret(strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(bits[:])))
}
