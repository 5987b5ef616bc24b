package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/audit"
	"github.com/countersign-dev/countersign/cognito"
)

var (
	change  = cognito.Event{Kind: cognito.EventChange, Operation: "DeleteUserPool"}
	refusal = cognito.Event{Kind: cognito.EventRefusal, Operation: "Token"}
)

// TestAChangeIsWrittenWhenItIsAcknowledged: whoever kills the process then finds the line.
func TestAChangeIsWrittenWhenItIsAcknowledged(t *testing.T) {
	var out bytes.Buffer
	synced := 0
	w, err := audit.New(audit.Config{W: &out, Sync: func() error { synced = out.Len(); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for n := range 3 {
		w.Record(change)
		if got := strings.Count(out.String(), "\n"); got != n+1 || synced != out.Len() {
			t.Errorf("after change %d: %d lines, %d of %d bytes durable", n+1, got, synced, out.Len())
		}
	}
}

// full is a disk with room for so many bytes.
type full struct {
	bytes.Buffer
	room int
}

func (f *full) Write(b []byte) (int, error) {
	if len(b) <= f.room {
		f.room -= len(b)
		return f.Buffer.Write(b)
	}
	n, _ := f.Buffer.Write(b[:f.room])
	f.room = 0
	return n, errors.New("no space left on device")
}

// TestAFullDisk: half a line spoils no other, what is missing is told at once and counted where it is missing, and the program
// hears of the disk once.
func TestAFullDisk(t *testing.T) {
	out := &full{room: 20}
	var failed int
	var missing []string
	w, err := audit.New(audit.Config{W: out, Failed: func(error) { failed++ }, Missing: func(line []byte) { missing = append(missing, string(line)) }})
	if err != nil {
		t.Fatal(err)
	}
	w.Record(change)
	w.Record(change)
	w.Record(refusal)
	w.Record(change)
	if failed != 1 || len(missing) != 3 || !strings.Contains(missing[0], `"DeleteUserPool"`) || strings.Contains(missing[0], "\n") || w.Dropped() != 4 {
		t.Errorf("told %d times, missing %q, dropped %d", failed, missing, w.Dropped())
	}
	out.room = 1 << 20 // somebody made room; nothing else is running between two changes
	w.Record(change)
	w.Close()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("lines: %q", lines)
	}
	for _, line := range lines[1:] {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line is spoilt: %q", line)
		}
	}
	if !strings.Contains(lines[2], `"kind":"dropped","count":4`) {
		t.Errorf("what is missing is not counted: %q", lines[2])
	}
}

// TestStrangersDoNotFillTheDisk: of the refusals of a second some are written down, and all are counted.
func TestStrangersDoNotFillTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		w, err := audit.New(audit.Config{W: &out, Refusals: 10})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			for range 1000 {
				w.Record(refusal)
				synctest.Wait()
			}
			w.Record(change)
			time.Sleep(time.Second)
		}
		w.Close()
		if got := strings.Count(out.String(), `"refusal"`); got != 30 || w.Dropped() != 2970 || strings.Count(out.String(), "DeleteUserPool") != 3 {
			t.Errorf("%d refusals are written, %d dropped", got, w.Dropped())
		}
	})
}
