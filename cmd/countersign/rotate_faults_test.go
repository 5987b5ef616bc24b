package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/fault"
	"github.com/countersign-dev/countersign/cognito"
)

var rotateArgs = []string{"rotate", "reader", "--soak", "0s", "--patience", "5s"}

// newRotation is a provisioned system whose stored credential is tried before and after every call: at no moment may it fail.
func newRotation(t *testing.T) *cutSystem {
	t.Helper()
	s := newCutSystem(t, cutFile)
	s.mustRun("provision", "--yes")
	s.proxy.Watch = func() {
		if !s.works(s.stored()["reader"]) {
			t.Error("there is a moment at which the stored credential does not work")
		}
	}
	return s
}

// secrets are the ids of the live secrets of the stored client.
func (s *cutSystem) secrets(c storedCredential) []string {
	s.t.Helper()
	out, err := s.service.ListUserPoolClientSecrets(s.t.Context(), cognito.ListUserPoolClientSecretsInput{
		UserPoolID: c.Issuer[strings.LastIndexByte(c.Issuer, '/')+1:], ClientID: c.ClientID,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	var ids []string
	for _, d := range out.ClientSecrets {
		ids = append(ids, d.ClientSecretID)
	}
	return ids
}

// rotated checks the end: one secret, a new one, which works and is stored under its id; and the old one is dead.
func (s *cutSystem) rotated(before storedCredential) {
	s.t.Helper()
	now := s.stored()["reader"]
	ids := s.secrets(now)
	switch {
	case len(ids) != 1 || now.SecretID != ids[0]:
		s.t.Errorf("the client has the secrets %v, and %q is stored", ids, now.SecretID)
	case now.ClientSecret == before.ClientSecret || now.Second != "" || now.Rotation != nil:
		s.t.Error("the stored credential is not the new one alone")
	case !s.works(now):
		s.t.Error("the stored credential does not work")
	case s.works(before):
		s.t.Error("the old secret still works")
	}
	if out := s.mustRun("provision", "--plan"); !strings.Contains(out, "nothing to change") {
		s.t.Errorf("after the rotation there is something to change:\n%s", out)
	}
}

// TestRotateIsCutAnywhere cuts a rotation at each of its calls, in each of the ways in which a call can fail, and runs the
// command again.
func TestRotateIsCutAnywhere(t *testing.T) {
	undisturbed := newRotation(t)
	before := undisturbed.stored()["reader"]
	undisturbed.mustRun(rotateArgs...)
	calls := undisturbed.proxy.Calls()
	undisturbed.rotated(before)
	cuts := 0
	for _, kind := range fault.Kinds {
		for n, call := range calls {
			t.Run(fmt.Sprintf("call %d %s %s", n+1, call, kind), func(t *testing.T) {
				var before storedCredential
				s := cutOnce(t, func(t *testing.T) *cutSystem {
					s := newRotation(t)
					before = s.stored()["reader"]
					return s
				}, kind, n+1, rotateArgs)
				if !s.works(s.stored()["reader"]) {
					t.Error("after the cut the stored credential does not work")
				}
				s.mustRun(rotateArgs...)
				s.rotated(before)
			})
			cuts++
		}
	}
	t.Logf("%d cuts: %d calls, %d ways; the stored credential was tried before and after every call", cuts, len(calls), len(fault.Kinds))
}

// TestRotateDoesNotGuess gives what a rotation is not to touch.
func TestRotateDoesNotGuess(t *testing.T) {
	s := newRotation(t)
	c := s.stored()["reader"]
	pool := c.Issuer[strings.LastIndexByte(c.Issuer, '/')+1:]
	if _, err := s.service.AddUserPoolClientSecret(t.Context(), cognito.AddUserPoolClientSecretInput{UserPoolID: pool, ClientID: c.ClientID}); err != nil {
		t.Fatal(err)
	}
	code, out := s.run(rotateArgs...)
	if ids := s.secrets(c); code != 2 || len(ids) != 2 || !strings.Contains(out, ids[0]) || !strings.Contains(out, ids[1]) {
		t.Errorf("a second secret of somebody else: exit code %d\n%s", code, out)
	}
	if !s.works(s.stored()["reader"]) {
		t.Error("the stored credential does not work any more")
	}
}

// cancelOn ends a run when it says a word.
type cancelOn struct {
	word   string
	cancel func()
}

func (c cancelOn) Write(b []byte) (int, error) {
	if strings.Contains(string(b), c.word) {
		c.cancel()
	}
	return len(b), nil
}

func TestRotateIsInterruptedWhileItWaits(t *testing.T) {
	s := newRotation(t)
	before := s.stored()["reader"]
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	file := filepath.Join(s.dir, "countersign.yaml")
	var out strings.Builder
	code := run(ctx, []string{"rotate", "reader", "--soak", "1h", "--file", file}, io.Discard, io.MultiWriter(&out, cancelOn{"waiting 1h0m0s", cancel}))
	if code != 2 || !strings.Contains(out.String(), "interrupted: both secrets work; run this again to remove the old one") {
		t.Errorf("exit code %d\n%s", code, out.String())
	}
	if now := s.stored()["reader"]; now.Second != before.ClientSecret || !s.works(now) || !s.works(before) {
		t.Error("during the wait both secrets work, and the new one is the first")
	}
	if text := s.mustRun(append(rotateArgs, "--output", "json")...); !strings.Contains(text, `"resumed": true`) {
		t.Errorf("the next run does not go on:\n%s", text)
	}
	s.rotated(before)
}

// TestRotateRefusesAnothersCredential: what is stored in the client's place is somebody else's, and is not replaced.
func TestRotateRefusesAnothersCredential(t *testing.T) {
	s := newCutSystem(t, cutFile)
	s.mustRun("provision", "--yes")
	file := filepath.Join(s.dir, ".countersign", "clients", "reader.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.ReplaceAll(string(text), s.stored()["reader"].ClientID, "2example23456789")
	if err := os.WriteFile(file, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out := s.run(rotateArgs...)
	if code != 2 || !strings.Contains(out, "holds the credentials of another client, 2example23456789") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}
