package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A service that is being deployed is waited for, and no longer than is said.
func TestProveWaits(t *testing.T) {
	var asked, down atomic.Int32
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) <= down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		guarded(w, r)
	}))
	defer service.Close()
	policy := writeFile(t, "openapi.yaml", publicAndGuarded)
	down.Store(5)
	if code, stdout, stderr := proveCommand(t.Context(), service.URL, "--policy", policy, "--no-tokens", "--wait", "1m"); code != 0 {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	down.Store(1 << 30)
	code, stdout, stderr := proveCommand(t.Context(), service.URL, "--policy", policy, "--no-tokens", "--wait", "1s")
	if code != exitCannotRun || stdout != "" || !strings.Contains(stderr, "did not come up within 1s: status 502") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := proveCommand(t.Context(), service.URL, "--policy", policy, "--no-tokens", "--wait", "25h"); code != exitCannotRun || !strings.Contains(stderr, "--wait 25h0m0s: write a time up to 1h0m0s, as in 60s") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// fading is a target that answers 502 once, and then not any more.
type fading struct{ asked int }

func (*fading) String() string { return "fading" }

func (f *fading) Do(r *http.Request) (*http.Response, error) {
	if f.asked++; f.asked == 1 {
		return &http.Response{StatusCode: http.StatusBadGateway}, nil
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A request that the end of the wait cut off says nothing of the service; what it answered before does.
func TestProveWaitSaysWhatItKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := waitFor(t.Context(), new(fading), time.Second, newProgress(io.Discard))
		if err == nil || err.Error() != "fading did not come up within 1s: status 502" {
			t.Errorf("got %v", err)
		}
	})
}

// What was not tried is said in every form, and is no proof where the proof is strict.
func TestProveStrict(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(guarded))
	defer service.Close()
	policy := writeFile(t, "openapi.yaml", publicAndGuarded)
	const gap = "that the right caller is let in, for 1 route: there is no client to ask for a token"
	for strict, want := range map[string]int{"--strict=false": 0, "--strict": 2} {
		for _, form := range []string{"table", "markdown", "json", "sarif", "github"} {
			code, stdout, _ := proveCommand(t.Context(), service.URL, "--policy", policy, "--no-tokens", "--format", form, strict)
			said := want != 0 || form != "sarif" && form != "github" // these name what is wrong, and no more
			if code != want || strings.Contains(stdout, gap) != said {
				t.Errorf("%s, %s: exit code %d\n%s", form, strict, code, stdout)
			}
			var report struct{ ExitCode int }
			if form == "json" && (json.Unmarshal([]byte(stdout), &report) != nil || report.ExitCode != want) {
				t.Errorf("%s: the report has the exit code %d, want %d", strict, report.ExitCode, want)
			}
		}
	}
}

// A token that is to be over is read before anything is asked, and is in no error.
func TestProveExpiredMistakes(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(guarded))
	defer service.Close()
	policy := writeFile(t, "openapi.yaml", publicAndGuarded)
	empty := writeFile(t, "empty", "Bearer \n")
	for file, want := range map[string]string{
		"missing": "--expired: open missing", empty: "--expired: " + empty + " is empty; keep a token there",
		writeFile(t, "opaque", "hunter2"): "Expired is no JWT with an exp",
	} {
		code, stdout, stderr := proveCommand(t.Context(), service.URL, "--policy", policy, "--no-tokens", "--expired", file)
		if code != exitCannotRun || stdout != "" || !strings.Contains(stderr, want) || strings.Contains(stderr, "hunter2") {
			t.Errorf("%s: exit code %d\n%s%s", file, code, stdout, stderr)
		}
	}
}
