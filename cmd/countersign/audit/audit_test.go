package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/countersign-dev/countersign/cmd/countersign/audit"
	"github.com/countersign-dev/countersign/cognito"
)

func TestLines(t *testing.T) {
	var out bytes.Buffer
	w, err := audit.New(audit.Config{W: &out})
	if err != nil {
		t.Fatal(err)
	}
	w.Record(cognito.Event{Kind: cognito.EventChange, Operation: "CreateUserPool", PoolID: "r_a"})
	w.Record(cognito.Event{Kind: cognito.EventRefusal, Operation: "Token", Code: "invalid_client"})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.Record(cognito.Event{Kind: cognito.EventChange})
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("lines: %q", lines)
	}
	for i, want := range []string{"CreateUserPool", "Token"} {
		var e cognito.Event
		if err := json.Unmarshal([]byte(lines[i]), &e); err != nil || e.Operation != want {
			t.Errorf("line %d: %s, %v", i, lines[i], err)
		}
	}
}

// held is a writer that waits until it is let go.
type held struct {
	bytes.Buffer
	gate chan struct{}
}

func (h *held) Write(b []byte) (int, error) {
	<-h.gate
	return h.Buffer.Write(b)
}

// TestFullBuffer: refusals are dropped and counted, a change waits and is never lost.
func TestFullBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &held{gate: make(chan struct{})}
		w, err := audit.New(audit.Config{W: out, Buffer: 2})
		if err != nil {
			t.Fatal(err)
		}
		for range 10 { // one is being written, two wait
			w.Record(cognito.Event{Kind: cognito.EventRefusal})
			synctest.Wait()
		}
		var changed sync.WaitGroup
		recorded := false
		changed.Go(func() {
			w.Record(cognito.Event{Kind: cognito.EventChange, Operation: "DeleteUserPool"})
			recorded = true
		})
		synctest.Wait()
		if recorded {
			t.Error("a change did not wait for the full buffer")
		}
		close(out.gate)
		changed.Wait()
		w.Close()
		if text := out.String(); strings.Count(text, `"refusal"`) != 3 || !strings.Contains(text, `"kind":"dropped","count":7`) || !strings.Contains(text, "DeleteUserPool") {
			t.Errorf("trail:\n%s", text)
		}
	})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// TestFailureIsToldOnce: a broken disk is one message, not one for each event.
func TestFailureIsToldOnce(t *testing.T) {
	told := 0
	w, err := audit.New(audit.Config{W: broken{}, Failed: func(error) { told++ }})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		w.Record(cognito.Event{Kind: cognito.EventChange})
	}
	w.Close()
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

func TestMistakes(t *testing.T) {
	for want, config := range map[string]audit.Config{"Config.W is nil": {}, "Config.Buffer or Config.Refusals is negative": {W: broken{}, Buffer: -1}} {
		if _, err := audit.New(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
