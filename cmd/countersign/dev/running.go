package dev

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/wholefile"
)

// Running says how to reach a running system, and how to recognise it.
type Running struct {
	Instance       string          `json:"instance"` // random, for the owner of the state alone; /healthz of the issuer's address proves that it has it
	PID            int             `json:"pid"`
	APIURL         string          `json:"api_url"`
	EdgeURL        string          `json:"edge_url"`
	EdgePrefix     string          `json:"edge_prefix"`           // the first path that the edge lets through
	EdgePrefixes   []string        `json:"edge_prefixes"`         // all of them
	EdgeCA         string          `json:"edge_ca"`               // path of a PEM file
	AWSURL         string          `json:"aws_url"`               // the cognito-idp JSON API
	Issuer         string          `json:"issuer"`                // the pool's
	TokenURL       string          `json:"token_url,omitempty"`   // the token endpoint, where it is not under the issuer
	ProxyURL       string          `json:"proxy_url,omitempty"`   // answers for AWS's hosts, where the issuer is at one of them
	ProxyCA        string          `json:"proxy_ca,omitempty"`    // path of a PEM file, for clients of the proxy
	ControlURL     string          `json:"control_url,omitempty"` // sets faults, quotas and the clock
	Region         string          `json:"region"`                // AWS's word
	UserPoolID     string          `json:"user_pool_id"`
	Resource       string          `json:"resource"`                  // identifier of the resource server
	Clients        []string        `json:"clients"`                   // names of the app clients that the system was to have
	Demo           bool            `json:"demo"`                      // whether the service is the demo
	CredentialsDir string          `json:"credentials_dir,omitempty"` // where a user's service finds those of its clients
	Policy         json.RawMessage `json:"policy"`                    // the service's, as OpenAPI
}

// ErrNotRunning says that no system runs on a state directory.
var ErrNotRunning = errors.New("nothing runs on this state")

// Find returns the system that runs on the state, or an error that wraps [ErrNotRunning].
func Find(ctx context.Context, state State) (Running, error) {
	data, err := os.ReadFile(state.running())
	if errors.Is(err, fs.ErrNotExist) {
		return Running{}, notRunning(state)
	}
	if err != nil {
		return Running{}, fmt.Errorf("state directory: %w", err)
	}
	var r Running
	if err := json.Unmarshal(data, &r); err != nil {
		return Running{}, fmt.Errorf("%s is damaged: %w; restart `countersign dev`", state.running(), err)
	}
	// A process that was killed leaves its file behind, and another may listen on its address since: only the answer
	// with the same instance is the system that wrote the file.
	if err := r.check(ctx); err != nil {
		return Running{}, notRunning(state)
	}
	return r, nil
}

// Wait is Find that asks again until the system is up or ctx ends.
func Wait(ctx context.Context, state State) (Running, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := Find(ctx, state)
		if !errors.Is(err, ErrNotRunning) {
			return r, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return Running{}, err
		}
	}
}

func notRunning(state State) error {
	flag := " --state " + state.quoted()
	if usual, err := DefaultState(); err == nil && usual == state {
		flag = ""
	}
	return fmt.Errorf("%w: %s; start it with: countersign dev%s", ErrNotRunning, state, flag)
}

func (r Running) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	nonce := rand.Text()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.AWSURL+"/healthz?nonce="+nonce, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1024))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || string(body) != r.proof(nonce)+"\n" {
		return errors.New("another instance")
	}
	return nil
}

// proof answers a nonce as nobody can who does not know the instance. The instance itself is never sent: any user of the
// machine could ask for it, take the address once the system is gone, and pass for it.
func (r Running) proof(nonce string) string {
	mac := hmac.New(sha256.New, []byte(r.Instance))
	io.WriteString(mac, nonce) // a hash does not fail
	return hex.EncodeToString(mac.Sum(nil))
}

// publish writes the file that Find reads, whole or not at all.
func (r Running) publish(state State) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := wholefile.Replace(state.running(), data, 0o600); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	return nil
}

// withdraw removes what publish wrote.
func withdraw(state State) error {
	if err := os.Remove(state.running()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("state directory: %w", err)
	}
	return nil
}
