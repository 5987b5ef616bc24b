package awssecrets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// API is the one operation that is called; *secretsmanager.Client has it. It needs the permission
// secretsmanager:GetSecretValue on the secret, and kms:Decrypt on a key of your own.
type API interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Config says which secret is read. API and SecretID are required.
type Config struct {
	API      API
	SecretID string // name or ARN

	// MaxAge is how long what was read is used. A token is asked for every three quarters of an hour or so, so a rotation is
	// noticed with the next one. Zero means 5 minutes.
	MaxAge time.Duration

	// MinInterval is the least time between two readings, however often the issuer refuses. Zero means 10 seconds.
	MinInterval time.Duration
}

const (
	stageCurrent = "AWSCURRENT"
	stagePending = "AWSPENDING"

	defaultMaxAge      = 5 * time.Minute
	defaultMinInterval = 10 * time.Second

	anotherLook = 3 * time.Second // for a secret that was read before
)

// Secret is a secret of Secrets Manager as [clientcredentials.Credentials]. One may serve any number of sources.
type Secret struct {
	cfg Config

	calls atomic.Int64

	// turn holds one element while somebody reads; the others wait for what is read, as long as their context allows. It guards
	// what follows.
	turn    chan struct{}
	list    []clientcredentials.Credential
	full    bool // AWSPENDING was looked for too
	readAt  time.Time
	triedAt time.Time
	failed  error // of the last reading
}

var _ clientcredentials.Reloader = (*Secret)(nil)

// New checks the configuration. It reads nothing.
func New(cfg Config) (*Secret, error) {
	var problems []error
	if cfg.API == nil {
		problems = append(problems, errors.New("awssecrets: Config.API: is nil; use secretsmanager.NewFromConfig"))
	}
	if cfg.SecretID == "" {
		problems = append(problems, errors.New("awssecrets: Config.SecretID: is empty; name the secret, or give its ARN"))
	}
	if cfg.MaxAge < 0 || cfg.MinInterval < 0 {
		problems = append(problems, errors.New("awssecrets: Config.MaxAge: it and MinInterval cannot be negative"))
	}
	if cfg.MaxAge == 0 {
		cfg.MaxAge = defaultMaxAge
	}
	if cfg.MinInterval == 0 {
		cfg.MinInterval = defaultMinInterval
	}
	return &Secret{cfg: cfg, turn: make(chan struct{}, 1)}, errors.Join(problems...)
}

// String returns the secret's name. Nothing that prints a Secret prints what it holds.
func (s *Secret) String() string { return "awssecrets:" + s.cfg.SecretID }

// Format prints [Secret.String] for every verb, so that no verb reaches the fields.
func (s *Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is the text of [Secret.String].
func (s *Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Load returns the credentials, from memory while they are not older than MaxAge. When Secrets Manager cannot be read, what
// was read before stays in use.
func (s *Secret) Load(ctx context.Context) ([]clientcredentials.Credential, error) {
	if err := s.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer s.endTurn()
	if s.list != nil && time.Since(s.readAt) < s.cfg.MaxAge {
		return slices.Clone(s.list), nil
	}
	return s.read(ctx, false)
}

// Reload reads the secret again, and AWSPENDING too, for the issuer has refused what Load gave. It does so no sooner than
// MinInterval after the last time that it did; until then it returns what it has.
func (s *Secret) Reload(ctx context.Context) ([]clientcredentials.Credential, error) {
	if err := s.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer s.endTurn()
	if s.full && time.Since(s.readAt) < s.cfg.MinInterval {
		return slices.Clone(s.list), nil
	}
	return s.read(ctx, true)
}

// Calls returns how often Secrets Manager was asked; AWS bills calls.
func (s *Secret) Calls() int64 { return s.calls.Load() }

func (s *Secret) takeTurn(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Secret) endTurn() { <-s.turn }

// read reads the stages, in the caller's turn.
func (s *Secret) read(ctx context.Context, pending bool) ([]clientcredentials.Credential, error) {
	if s.failed != nil && time.Since(s.triedAt) < s.cfg.MinInterval {
		return s.lastGood(s.failed)
	}
	reading := ctx
	if s.list != nil {
		// Silence must leave the caller's attempt the time to use what was read before.
		var cancel context.CancelFunc
		reading, cancel = context.WithTimeout(ctx, anotherLook)
		defer cancel()
	}
	list, err := s.stage(reading, stageCurrent)
	s.failed, s.triedAt = err, time.Now()
	if ctx.Err() != nil {
		s.failed = nil // the caller has gone, which says nothing of Secrets Manager
	}
	if err != nil {
		return s.lastGood(err)
	}
	if pending {
		// No rotation may be under way, or one that failed has left something half made: that is no reason not to use
		// AWSCURRENT, which may just have been replaced.
		more, _ := s.stage(reading, stagePending)
		for _, c := range more {
			if c.ClientID != "" && c.ClientSecret != "" && !slices.Contains(list, c) {
				list = append(list, c)
			}
		}
	}
	s.list, s.full, s.readAt = list, pending, time.Now()
	return slices.Clone(list), nil
}

// lastGood returns what was read before: a secret that worked an hour ago nearly always works, and an outage of Secrets
// Manager is no reason for one here.
func (s *Secret) lastGood(err error) ([]clientcredentials.Credential, error) {
	if s.list == nil {
		return nil, err
	}
	return slices.Clone(s.list), nil
}

func (s *Secret) stage(ctx context.Context, stage string) ([]clientcredentials.Credential, error) {
	s.calls.Add(1)
	out, err := s.cfg.API.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.cfg.SecretID, VersionStage: &stage})
	if err != nil {
		err = fmt.Errorf("awssecrets: %s of %s: %w", stage, s.cfg.SecretID, err)
		if passes(err) {
			err = outage{err}
		}
		return nil, err
	}
	list, err := clientcredentials.ParseCredentials(stage+" of "+s.cfg.SecretID, []byte(aws.ToString(out.SecretString)))
	if err != nil {
		return nil, fmt.Errorf("awssecrets: %w", err)
	}
	return list, nil
}

// outage is an error that passes: [clientcredentials.Source] tries again soon.
type outage struct{ error }

func (o outage) Unwrap() error { return o.error }

func (outage) Temporary() bool { return true }

// passes reports whether nobody has to put anything right: what the SDK tries again itself, and a fault of the service's.
func passes(err error) bool {
	var fault *types.InternalServiceError
	return errors.As(err, &fault) || retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err).Bool()
}
