package postgres

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

// A fleet is an issuer as it runs in production: replicas of the built program over one database, behind a round-robin.
type fleet struct {
	t        *testing.T
	program  string
	dir      string
	server   *server
	replicas []*replica
	balancer *httptest.Server
	turn     atomic.Uint64
	client   *http.Client // of the balancer
	keys     aws.CredentialsProvider
}

// program builds the issuer once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "countersign-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "countersign")
	built = path
	build := exec.Command("go", "build", "-o", path, "./cmd/countersign")
	build.Dir = "../.."
	build.Env = append(os.Environ(), "GOWORK=") // this module stands outside the workspace, the program in it
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func newFleet(t *testing.T, size int) *fleet {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{t: t, program: path, dir: t.TempDir(), server: ownServer(t), client: &http.Client{
		Timeout:   15 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 32},
	}}
	f.balancer = httptest.NewServer(http.HandlerFunc(f.balance))
	t.Cleanup(f.balancer.Close)
	f.run("issuer", "key-file", f.path("seal.key"))
	f.run("issuer", "credentials", "add", f.path("access-keys.yaml"), "--name", "drill")
	f.keys = f.accessKey()
	schema := f.server.newSchemaName(t)
	f.write("dsn", []byte(f.server.dsn(schema)))
	for i := range size {
		r := &replica{fleet: f, name: fmt.Sprint("replica-", i), config: f.path(fmt.Sprintf("replica-%d.yaml", i))}
		f.write(filepath.Base(r.config), fmt.Appendf(nil, "listen: 127.0.0.1:0\nbaseURL: %s\nstore:\n  postgres:\n    dsnFile: %s\nsealKey: %s\ncredentials: %s\n",
			f.balancer.URL, f.path("dsn"), f.path("seal.key"), f.path("access-keys.yaml")))
		f.replicas = append(f.replicas, r)
	}
	var starting sync.WaitGroup
	for _, r := range f.replicas { // at once, on an empty database
		starting.Go(func() {
			if err := r.start(); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	t.Cleanup(func() {
		for _, r := range f.replicas {
			r.kill()
			if t.Failed() {
				t.Logf("the end of what %s warned of:\n%s", r.name, strings.Join(r.warnings[max(0, len(r.warnings)-20):], "\n"))
			}
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return f
}

func (f *fleet) path(name string) string { return filepath.Join(f.dir, name) }

func (f *fleet) write(name string, content []byte) {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), content, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// run runs a command of the program, which must succeed.
func (f *fleet) run(args ...string) {
	f.t.Helper()
	if out, err := exec.Command(f.program, args...).CombinedOutput(); err != nil {
		f.t.Fatalf("countersign %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// accessKey reads the file that the program has written.
func (f *fleet) accessKey() aws.CredentialsProvider {
	text, err := os.ReadFile(f.path("access-keys.yaml"))
	if err != nil {
		f.t.Fatal(err)
	}
	value := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, v, found := strings.Cut(strings.Trim(line, "- \n"), ": "); found {
			value[key] = strings.Trim(v, `"`)
		}
	}
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: value["accessKeyId"], SecretAccessKey: value["secretAccessKey"]}, nil
	})
}

// api is AWS' SDK, which does not try again by itself: a lost answer must stay one.
func (f *fleet) api(url string) *cognitoidentityprovider.Client {
	return cognitoidentityprovider.New(cognitoidentityprovider.Options{
		BaseEndpoint: aws.String(url), Region: "us-east-1", Retryer: aws.NopRetryer{}, Credentials: f.keys,
		HTTPClient: &http.Client{Timeout: 30 * time.Second},
	})
}

// balance is a load balancer: each request goes to the next replica, to the one after it if that does not answer the
// connection, and, for a token or a key set, which do nothing twice, also if it broke off.
func (f *fleet) balance(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		http.Error(w, "the request was cut short", http.StatusBadRequest)
		return
	}
	first := f.turn.Add(1)
	for i := range f.replicas {
		address := f.replicas[(first+uint64(i))%uint64(len(f.replicas))].address()
		if address == "" {
			continue
		}
		out := r.Clone(r.Context())
		out.RequestURI, out.URL.Scheme, out.URL.Host = "", "http", address
		out.Body = io.NopCloser(bytes.NewReader(body))
		res, err := f.client.Do(out)
		var dial *net.OpError
		switch {
		case err == nil:
			defer res.Body.Close()
			for name, values := range res.Header {
				w.Header()[name] = values
			}
			w.WriteHeader(res.StatusCode)
			_, _ = io.Copy(w, res.Body)
			return
		case r.URL.Path == "/" && (!errors.As(err, &dial) || dial.Op != "dial"):
			http.Error(w, "the replica broke off", http.StatusBadGateway)
			return
		}
	}
	w.Header().Set(nobodyUp, "true")
	http.Error(w, "no replica is up", http.StatusServiceUnavailable)
}

// nobodyUp is the header of the one answer that a token request may fail with.
const nobodyUp = "X-No-Replica-Up"

// A replica is one process after the other.
type replica struct {
	fleet  *fleet
	name   string
	config string

	mu      sync.Mutex
	at      string
	process *exec.Cmd
	lives   int
	since   time.Time // when this life began to serve

	warnings []string
}

func (r *replica) address() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

// life is which process this is, and whether it serves.
func (r *replica) life() (int, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lives, r.at != ""
}

func (r *replica) upSince() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.since
}

// start returns when the replica serves.
func (r *replica) start() error {
	cmd := exec.Command(r.fleet.program, "issuer", "--config", r.config)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var log bytes.Buffer
	lines := bufio.NewScanner(stderr)
	address := ""
	for address == "" && lines.Scan() {
		fmt.Fprintln(&log, lines.Text())
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			address = line.Address
		}
	}
	if address == "" {
		_ = cmd.Wait()
		return fmt.Errorf("%s does not start:\n%s", r.name, log.String())
	}
	go r.keepWarnings(lines)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.process, r.at = cmd, address
	r.lives++
	r.since = time.Now()
	return nil
}

// keepWarnings remembers what the replica logs that is no request.
func (r *replica) keepWarnings(lines *bufio.Scanner) {
	for lines.Scan() {
		if line := lines.Text(); !strings.Contains(line, `"level":"INFO"`) {
			r.mu.Lock()
			r.warnings = append(r.warnings, line)
			r.mu.Unlock()
		}
	}
}

// kill ends it with SIGKILL.
func (r *replica) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process != nil {
		_ = r.process.Process.Kill()
		_ = r.process.Wait()
		r.process, r.at = nil, ""
	}
}
