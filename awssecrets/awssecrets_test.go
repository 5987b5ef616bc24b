package awssecrets_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/countersign-dev/countersign/awssecrets"
	"github.com/countersign-dev/countersign/clientcredentials"
)

// stages is a Secrets Manager that holds one secret.
type stages struct {
	values map[string]string
	err    error
	asked  []string

	stageErr map[string]error // by stage
}

func (s *stages) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	s.asked = append(s.asked, *in.VersionStage)
	if s.err != nil {
		return nil, s.err
	}
	if err := s.stageErr[*in.VersionStage]; err != nil {
		return nil, err
	}
	value, found := s.values[*in.VersionStage]
	if !found {
		return nil, &types.ResourceNotFoundException{}
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: &value}, nil
}

func credential(secret string) string {
	return fmt.Sprintf(`{"client_id":"reader","client_secret":%q,"issuer":"https://issuer.example.com"}`, secret)
}

func newSecret(t *testing.T, api awssecrets.API) *awssecrets.Secret {
	t.Helper()
	s, err := awssecrets.New(awssecrets.Config{API: api, SecretID: "orders/reader"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// loaded returns the secrets of a reading.
func loaded(t *testing.T, load func(context.Context) (list []string, err error)) string {
	t.Helper()
	list, err := load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, " ")
}

func load(s *awssecrets.Secret) func(context.Context) ([]string, error) {
	return func(ctx context.Context) (list []string, err error) {
		all, err := s.Load(ctx)
		for _, c := range all {
			list = append(list, c.ClientSecret)
		}
		return list, err
	}
}

func reload(s *awssecrets.Secret) func(context.Context) ([]string, error) {
	return func(ctx context.Context) (list []string, err error) {
		all, err := s.Reload(ctx)
		for _, c := range all {
			list = append(list, c.ClientSecret)
		}
		return list, err
	}
}

func TestWhatIsReadWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &stages{values: map[string]string{"AWSCURRENT": credential("one")}}
		s := newSecret(t, api)
		for range 100 {
			if got := loaded(t, load(s)); got != "one" {
				t.Fatal(got)
			}
		}
		if fmt.Sprint(api.asked) != "[AWSCURRENT]" {
			t.Errorf("asked for %v", api.asked)
		}
		api.values["AWSCURRENT"] = credential("two")
		time.Sleep(5 * time.Minute)
		if got := loaded(t, load(s)); got != "two" {
			t.Errorf("after a rotation: %s", got)
		}
	})
}

// TestWhatIsPendingDoesNoHarm: AWSCURRENT has been rotated, and AWSPENDING is what a rotation that failed left there.
func TestWhatIsPendingDoesNoHarm(t *testing.T) {
	for name, pending := range map[string]string{
		"no JSON": "half", "an empty secret": credential(""), "another form": `{"password":"x"}`, "an error": "error",
	} {
		synctest.Test(t, func(t *testing.T) {
			api := &stages{values: map[string]string{"AWSCURRENT": credential("one"), "AWSPENDING": pending}}
			if pending == "error" {
				api.stageErr = map[string]error{"AWSPENDING": errors.New("AccessDeniedException")}
			}
			s := newSecret(t, api)
			if got := loaded(t, load(s)); got != "one" {
				t.Errorf("%s: before a refusal: %s", name, got)
			}
			api.values["AWSCURRENT"] = credential("two")
			for range 10 {
				if got := loaded(t, reload(s)); got != "two" {
					t.Errorf("%s: after a refusal: %s", name, got)
				}
			}
			if n := len(api.asked); n != 3 {
				t.Errorf("%s: %d calls, want 3", name, n)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &stages{values: map[string]string{"AWSCURRENT": credential("one"), "AWSPENDING": credential("two")}}
		s := newSecret(t, api)
		if got := loaded(t, load(s)); got != "one" {
			t.Errorf("before a refusal: %s", got)
		}
		if got := loaded(t, reload(s)); got != "one two" {
			t.Errorf("after a refusal: %s", got)
		}
		// An issuer that refuses everything costs no more than two calls in ten seconds.
		before := s.Calls()
		for range 600 {
			loaded(t, load(s))
			loaded(t, reload(s))
			time.Sleep(100 * time.Millisecond)
		}
		if n := s.Calls() - before; n > 12 {
			t.Errorf("%d calls in a minute", n)
		}
		delete(api.values, "AWSPENDING")
		time.Sleep(10 * time.Second)
		if got := loaded(t, reload(s)); got != "one" {
			t.Errorf("without a rotation: %s", got)
		}
	})
}

func TestOutageOfSecretsManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &stages{values: map[string]string{"AWSCURRENT": credential("one")}}
		s := newSecret(t, api)
		loaded(t, load(s))
		api.err = errors.New("throttled")
		time.Sleep(time.Hour)
		before := s.Calls()
		for range 50 {
			if got := loaded(t, load(s)) + loaded(t, reload(s)); got != "oneone" {
				t.Fatal(got)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := s.Calls() - before; n != 1 {
			t.Errorf("%d calls in 5 s of an outage", n)
		}
		if _, err := newSecret(t, api).Load(t.Context()); !errors.Is(err, api.err) {
			t.Errorf("nothing was ever read: %v", err)
		}
	})
}

// slow answers when it is let.
type slow struct {
	stages
	let chan struct{}
}

func (s *slow) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, o ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	<-s.let
	return s.stages.GetSecretValue(ctx, in, o...)
}

func TestWaitersHonourTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &slow{stages{values: map[string]string{"AWSCURRENT": credential("one")}}, make(chan struct{})}
		s := newSecret(t, api)
		read := make(chan error)
		go func() {
			_, err := s.Load(t.Context())
			read <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Load(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		close(api.let)
		if err := <-read; err != nil || s.Calls() != 1 {
			t.Errorf("%v after %d calls", err, s.Calls())
		}
	})
}

func TestWhatIsNoCredential(t *testing.T) {
	for name, value := range map[string]string{
		"no JSON": "hunter2", "an array": `["hunter2"]`, "no secret": `{"client_id":"hunter2"}`, "a number": `{"client_id":"a","client_secret":12345678}`, "binary": "",
	} {
		_, err := newSecret(t, &stages{values: map[string]string{"AWSCURRENT": value}}).Load(t.Context())
		if err == nil || !strings.Contains(err.Error(), "AWSCURRENT of orders/reader") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	_, err := awssecrets.New(awssecrets.Config{MaxAge: -1})
	if lines := strings.Split(fmt.Sprint(err), "\n"); len(lines) != 3 {
		t.Errorf("%v", err)
	}
}

// silent does not answer while it is switched on.
type silent struct {
	stages
	on bool
}

func (s *silent) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, o ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	if s.on {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.stages.GetSecretValue(ctx, in, o...)
}

// TestACallerThatGoes: that one caller's context ends says nothing of Secrets Manager, and is not told to the next one.
func TestACallerThatGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &silent{stages{values: map[string]string{"AWSCURRENT": credential("one")}}, true}
		s := newSecret(t, api)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Load(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the caller that goes: %v", err)
		}
		api.on = false
		if got := loaded(t, load(s)); got != "one" {
			t.Errorf("the next one: %s", got)
		}
	})
}

// TestSilenceOfSecretsManager: what was read before is given while there is time to use it.
func TestSilenceOfSecretsManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &silent{stages{values: map[string]string{"AWSCURRENT": credential("one")}}, false}
		s := newSecret(t, api)
		loaded(t, load(s))
		api.on = true
		time.Sleep(time.Hour)
		for n, read := range []func(context.Context) ([]clientcredentials.Credential, error){s.Load, s.Reload, s.Load} {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			began := time.Now()
			list, err := read(ctx)
			if err != nil || len(list) != 1 || ctx.Err() != nil || time.Since(began) > 5*time.Second || n > 0 && time.Since(began) > 0 {
				t.Errorf("%d: %v, %v after %v; the attempt has 10 s in all", n, list, err, time.Since(began))
			}
			cancel()
		}
	})
}

// TestWhatPasses: an outage of Secrets Manager is tried again, and what somebody has to put right is not.
func TestWhatPasses(t *testing.T) {
	for _, c := range []struct {
		err    error
		passes bool
	}{
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, true},
		{&types.InternalServiceError{}, true},
		{context.DeadlineExceeded, true},
		{&types.ResourceNotFoundException{}, false},
		{&types.DecryptionFailure{}, false},
	} {
		_, err := newSecret(t, &stages{err: c.err}).Load(t.Context())
		var e interface{ Temporary() bool }
		if got := errors.As(err, &e) && e.Temporary(); got != c.passes || !errors.Is(err, c.err) {
			t.Errorf("%v: it passes: %t, want %t", err, got, c.passes)
		}
	}
}

// TestNothingTellsTheSecret: fmt prints unexported fields without asking their methods.
func TestNothingTellsTheSecret(t *testing.T) {
	s := newSecret(t, &stages{values: map[string]string{"AWSCURRENT": credential("hunter2-is-the-secret")}})
	list, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, value := range []any{s, []any{s}, list, struct{ S *awssecrets.Secret }{s}} {
		fmt.Fprintf(&out, "%v %+v %#v %s %q %d %x\n", value, value, value, value, value, value, value)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "value", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "value", value)
	}
	for _, form := range []string{"hunter2", fmt.Sprintf("%x", "hunter2")} {
		if strings.Contains(out.String(), form) {
			t.Errorf("printed:\n%s", out.String())
		}
	}
	if !strings.Contains(out.String(), "orders/reader") {
		t.Errorf("which secret it is cannot be seen:\n%s", out.String())
	}
}
