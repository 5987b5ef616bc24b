package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/fault"
	"github.com/countersign-dev/countersign/cognito"
)

var rotateArgs = []string{"rotate", "reader", "--soak", "0s", "--patience", "100ms"}

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
				s := newRotation(t)
				before := s.stored()["reader"]
				s.cutRotation(kind, n+1)
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

// cutRotation runs a rotation whose call number n fails. It may come to its end all the same, when what failed was a question
// that is asked again; then the next run is a rotation of its own.
func (s *cutSystem) cutRotation(kind fault.Kind, n int) {
	s.t.Helper()
	args := rotateArgs
	if kind == fault.HangAfter {
		args = append([]string{"--timeout", "150ms"}, args...)
	}
	s.proxy.Arm(kind, n)
	code, out := s.run(args...)
	if !s.proxy.Hit() {
		s.t.Fatalf("the run did not come to call %d", n)
	}
	if code != 0 && code != 2 {
		s.t.Fatalf("exit code %d\n%s", code, out)
	}
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
