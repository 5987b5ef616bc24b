package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/e2e/program"
)

const (
	pool   = program.Pool
	client = program.Client
	secret = program.Secret
)

// configure writes the configuration of both processes, and makes the store.
func configure(t *testing.T, baseURL string) (config string) {
	t.Helper()
	dir := t.TempDir()
	config = filepath.Join(dir, "issuer.yaml")
	text := fmt.Sprintf("listen: 127.0.0.1:0\nbaseURL: %s\nstore: {sqlite: issuer.db}\nsealKey: seal.key\ncredentials: keys.yaml\n"+
		"admin: {listen: \"127.0.0.1:0\"}\naudit: {file: audit.jsonl}\nusage: usage\ndrain: {wait: 500ms}\nlog: {level: warn}\n", baseURL)
	for name, content := range map[string]string{"issuer.yaml": text, "pool.yaml": program.PoolYAML} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "issuer", "credentials", "add", filepath.Join(dir, "keys.yaml"))
	run(t, "pool", "import", filepath.Join(dir, "pool.yaml"), "--config", config)
	run(t, "issuer", "check", "--config", config)
	return config
}

// addTo adds to a configuration.
func addTo(t *testing.T, config, text string) {
	t.Helper()
	f, err := os.OpenFile(config, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func replaceIn(t *testing.T, file, old, text string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(content), old, text, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRollingRestartWhileKeysRotate: the walk of an operator on a working day, under load. No token request fails, and no token is
// refused by a service that has been up all the while.
func TestRollingRestartWhileKeysRotate(t *testing.T) {
	balancer := newBalancer(t)
	config := configure(t, balancer.URL)
	replaceIn(t, config, "wait: 500ms", "wait: 5s") // in which the balancer must have asked, on a busy machine too
	one := start(t, config, "one")
	two := start(t, config, "two")
	balancer.add(one.URL)
	balancer.add(two.URL)
	t.Logf("start to answering, with state: %v and %v", one.Started, two.Started)
	load := newLoad(t, balancer.URL)

	load.during(time.Second)
	run(t, "issuer", "keys", "rotate", "--config", config)
	load.during(time.Second)
	one.publishes(3) // a pool has two from the beginning
	two.publishes(3)
	run(t, "issuer", "keys", "rotate", "--config", config, "--now") // it is published: guards ask for what they do not know
	load.during(time.Second)
	for _, p := range []*process{one, two} {
		p.stop()
		balancer.remove(p.URL)
		again := start(t, config, p.name+"-again")
		balancer.add(again.URL)
		defer again.stop()
		load.during(time.Second)
	}
	run(t, "issuer", "keys", "rotate", "--config", config)
	load.during(time.Second)
	tokens, requests := load.stop()
	if states := run(t, "issuer", "keys", "list", "--config", config); strings.Count(states, "retiring") != 1 || strings.Count(states, "published") != 1 {
		t.Errorf("the keys are\n%s", states)
	}
	t.Logf("%d tokens issued, %d requests with them, none failed", tokens, requests)
}

// publishes returns when the process does so with as many keys.
func (p *process) publishes(keys int) {
	p.t.Helper()
	var set struct{ Keys []json.RawMessage }
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); len(set.Keys) != keys; <-tick.C {
		if time.Now().After(end) {
			p.t.Fatalf("%s publishes %d keys, want %d", p.name, len(set.Keys), keys)
		}
		answer, err := http.Get(p.URL + "/" + pool + "/.well-known/jwks.json")
		if err != nil {
			p.t.Fatal(err)
		}
		err = json.NewDecoder(answer.Body).Decode(&set)
		if answer.Body.Close(); err != nil {
			p.t.Fatal(err)
		}
	}
}

// load is callers that ask for a token and use it and the one before.
type load struct {
	t                *testing.T
	cancel           context.CancelFunc
	callers          sync.WaitGroup
	tokens, requests atomic.Int64
	failures         chan error
}

func newLoad(t *testing.T, issuer string) *load {
	t.Helper()
	guard, err := countersign.New(countersign.Config{Issuer: issuer + "/" + pool, Resource: "https://api.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { guard.Close() })
	api := guard.Mux()
	api.HandleFunc("GET /read", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }, countersign.Scope("demo.read"))
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{t: t, cancel: cancel, failures: make(chan error, 100)}
	for range 4 {
		l.callers.Go(func() {
			first := ""
			for ctx.Err() == nil {
				if err := l.once(issuer, api, &first); err != nil {
					select {
					case l.failures <- err:
					default:
					}
				}
			}
		})
	}
	return l
}

func (l *load) once(issuer string, api http.Handler, first *string) error {
	token, err := ask(issuer)
	if err != nil {
		return err
	}
	l.tokens.Add(1)
	if *first == "" {
		*first = token
	}
	for _, bearer := range []string{token, *first} { // the first one was signed by the first key
		r := httptest.NewRequest(http.MethodGet, "/read", nil)
		r.Header.Set("Authorization", "Bearer "+bearer)
		rec := httptest.NewRecorder()
		api.ServeHTTP(rec, r)
		if l.requests.Add(1); rec.Code != http.StatusOK {
			return fmt.Errorf("the service: %d %s", rec.Code, rec.Header().Get("WWW-Authenticate"))
		}
	}
	return nil
}

var (
	keepAlive   = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	newEachTime = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
)

func ask(issuer string) (string, error) { return askWith(keepAlive, issuer) }

func askWith(caller *http.Client, issuer string) (string, error) {
	r, err := http.NewRequest(http.MethodPost, issuer+"/"+pool+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(client, secret)
	answer, err := caller.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var body struct {
		AccessToken string `json:"access_token"`
		Error       string
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return "", fmt.Errorf("%s: %w", answer.Status, err)
	}
	if body.AccessToken == "" {
		return "", errors.New(answer.Status + " " + body.Error)
	}
	return body.AccessToken, nil
}

// during lets the callers call for a while, and fails with the first thing that went wrong.
func (l *load) during(d time.Duration) {
	l.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	began, before := time.Now(), l.tokens.Load()
	for time.Since(began) < d || l.tokens.Load() == before {
		select {
		case err := <-l.failures:
			l.t.Fatal(err)
		case <-tick.C:
		}
		if time.Since(began) > d+time.Minute {
			l.t.Fatal("nobody got a token")
		}
	}
}

func (l *load) stop() (tokens, requests int64) {
	l.t.Helper()
	l.cancel()
	l.callers.Wait()
	select {
	case err := <-l.failures:
		l.t.Error(err)
	default:
	}
	return l.tokens.Load(), l.requests.Load()
}
