package dev_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

// A buffer is a log that is read while it may still be written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func config(state string) dev.Config {
	return dev.Config{
		State:   dev.State(state),
		APIAddr: "localhost:0", EdgeAddr: "localhost:0", IssuerAddr: "localhost:0",
		Logger: slog.New(slog.DiscardHandler),
	}
}

func start(t *testing.T, cfg dev.Config) *dev.System {
	t.Helper()
	s, err := dev.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSystemIsFoundWhileItRuns(t *testing.T) {
	state := dev.State(filepath.Join(t.TempDir(), "state"))
	if _, err := dev.Find(t.Context(), state); !errors.Is(err, dev.ErrNotRunning) {
		t.Errorf("before the start: %v", err)
	}
	s := start(t, config(string(state)))
	found, err := dev.Find(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	if found.Instance != s.Running.Instance || found.Issuer == "" {
		t.Errorf("found %+v, runs %+v", found, s.Running)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := dev.Find(t.Context(), state); !errors.Is(err, dev.ErrNotRunning) {
		t.Errorf("after the end: %v", err)
	}
}

// A process that was killed leaves its file behind, and another program may answer at its address.
func TestLeftoverOfAKilledProcessIsNotFound(t *testing.T) {
	state := t.TempDir()
	other := start(t, config(t.TempDir()))
	data := `{"instance":"gone","aws_url":"` + other.Running.AWSURL + `"}`
	if err := os.WriteFile(filepath.Join(state, "running.json"), []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dev.Find(t.Context(), dev.State(state)); !errors.Is(err, dev.ErrNotRunning) {
		t.Errorf("got %v", err)
	}
}

// Any user of the machine may ask /healthz while the system runs, and take its address when it is gone.
func TestWhatHealthzSaysLetsNobodyPassForTheSystem(t *testing.T) {
	state := dev.State(t.TempDir())
	s := start(t, config(string(state)))
	ask := func(query string) string {
		res, err := http.Get(s.Running.AWSURL + "/healthz" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(body), s.Running.Instance) {
			t.Errorf("/healthz%s tells the instance", query)
		}
		return string(body)
	}
	ask("")
	heard := ask("?nonce=heard-before")
	impostor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, heard) }))
	defer impostor.Close()
	file := filepath.Join(string(state), "running.json")
	left, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(left, []byte(s.Running.AWSURL), []byte(impostor.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dev.Find(t.Context(), state); !errors.Is(err, dev.ErrNotRunning) {
		t.Errorf("the impostor: %v", err)
	}
}

func TestSeedIsTheSameAfterARestart(t *testing.T) {
	state := t.TempDir()
	clients := func() (found []dev.Client, pool string) {
		s, err := dev.Start(t.Context(), config(state))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		admin, err := dev.OpenAdmin(dev.State(state), s.Running)
		if err != nil {
			t.Fatal(err)
		}
		if found, err = admin.Clients(t.Context()); err != nil {
			t.Fatal(err)
		}
		return found, s.Running.UserPoolID
	}
	first, pool := clients()
	again, poolAgain := clients()
	if len(first) != 4 || len(again) != 4 || pool != poolAgain {
		t.Fatalf("%d clients of %s, then %d of %s; want the same four", len(first), pool, len(again), poolAgain)
	}
	for i := range first {
		if first[i].ID != again[i].ID || first[i].Secret.Reveal() != again[i].Secret.Reveal() {
			t.Errorf("%s became another client", first[i].Name)
		}
	}
}

func TestSecondSystemOnAStateIsRefused(t *testing.T) {
	state := t.TempDir()
	start(t, config(state))
	_, err := dev.Start(t.Context(), config(state))
	if err == nil || !strings.Contains(err.Error(), "held by another process") {
		t.Errorf("got %v", err)
	}
	// The refused one has taken nothing of the first one away.
	if _, err := dev.Find(t.Context(), dev.State(state)); err != nil {
		t.Error(err)
	}
}

func TestTakenAddressIsNamedWithItsFlag(t *testing.T) {
	first := start(t, config(t.TempDir()))
	for name, set := range map[string]func(*dev.Config, string){
		"--api-addr":    func(c *dev.Config, a string) { c.APIAddr = a },
		"--edge-addr":   func(c *dev.Config, a string) { c.EdgeAddr = a },
		"--issuer-addr": func(c *dev.Config, a string) { c.IssuerAddr = a },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t.TempDir())
			set(&cfg, strings.TrimPrefix(first.Running.APIURL, "http://"))
			_, err := dev.Start(t.Context(), cfg)
			if err == nil || !strings.Contains(err.Error(), "is taken") || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestStartHonoursItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dev.Start(ctx, config(t.TempDir())); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A request that does not end must neither keep the program from it nor look like a failure of the program.
func TestCloseCutsOffWhatDoesNotEnd(t *testing.T) {
	var log buffer
	cfg := config(t.TempDir())
	cfg.DrainTimeout = 50 * time.Millisecond
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s := start(t, cfg)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.Running.AWSURL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// The server is in the middle of this request when its 100 Continue comes.
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	if _, err := io.ReadFull(conn, make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "requests cut off") {
		t.Errorf("logged %q", log.String())
	}
}
