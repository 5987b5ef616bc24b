package collector

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/e2e/program"
)

const (
	pool   = program.Pool
	client = program.Client
	secret = program.Secret
)

// issuer is a running issuer that traces.
type issuer struct {
	url     string
	command *exec.Cmd
	log     *os.File
}

func run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), program.Path(t), args...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
}

// start returns when requests are answered.
func start(t *testing.T, endpoint string) *issuer {
	t.Helper()
	dir := t.TempDir()
	config, ready := filepath.Join(dir, "issuer.yaml"), filepath.Join(dir, "ready")
	for name, text := range map[string]string{"pool.yaml": program.PoolYAML, "issuer.yaml": "listen: 127.0.0.1:0\nstore: {sqlite: issuer.db}\nsealKey: seal.key\n" +
		"credentials: keys.yaml\ndrain: {wait: 0s}\ntraces: {endpoint: '" + endpoint + "'}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "issuer", "credentials", "add", filepath.Join(dir, "keys.yaml"))
	run(t, "pool", "import", filepath.Join(dir, "pool.yaml"), "--config", config)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	i := &issuer{log: log, command: exec.Command(program.Path(t), "issuer", "--config", config, "--ready-file", ready)}
	i.command.Stderr = log
	if err := i.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.command.Process.Kill() })
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		text, err := os.ReadFile(ready)
		if err != nil {
			continue
		}
		var where struct{ Address string }
		if err := json.Unmarshal(text, &where); err != nil {
			t.Fatal(err)
		}
		i.url = "http://" + where.Address
		return i
	}
	t.Fatalf("the issuer does not start:\n%s", i.said())
	return nil
}

func (i *issuer) said() string {
	text, _ := os.ReadFile(i.log.Name())
	return string(text)
}

// ask asks for a token, in somebody's trace.
func (i *issuer) ask(t *testing.T, secret string, want int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, i.url+"/"+pool+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("traceparent", fmt.Sprintf("00-%s-%s-01", theirTrace, theirSpan))
	r.SetBasicAuth(client, secret)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	if answer.StatusCode != want {
		t.Errorf("status %d, want %d", answer.StatusCode, want)
	}
}

// stop sends SIGTERM; the end sends what is left.
func (i *issuer) stop(t *testing.T) {
	t.Helper()
	if err := i.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := i.command.Wait(); err != nil {
		t.Errorf("%v\n%s", err, i.said())
	}
}
