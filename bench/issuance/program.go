package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

const (
	pool   = "us-east-1_AbCdEf123"
	client = "0123456789abcdefghijklmnop"
	secret = "only_for_this_run_0123456789_0123456789"
)

const poolYAML = `UserPool: {Id: ` + pool + `, Name: orders, CreationDate: 1767225600, LastModifiedDate: 1767225600}
ResourceServers:
  - {UserPoolId: ` + pool + `, Identifier: "https://api.example.com", Name: api, Scopes: [{ScopeName: demo.read, ScopeDescription: read}]}
Clients:
  - UserPoolId: ` + pool + `
    ClientId: ` + client + `
    ClientName: reader
    CreationDate: 1767225600
    LastModifiedDate: 1767225600
    AllowedOAuthFlows: [client_credentials]
    AllowedOAuthFlowsUserPoolClient: true
    AllowedOAuthScopes: ["https://api.example.com/demo.read"]
    Secrets: [{ID: first, Value: ` + secret + `, Created: 1767225600}]
`

// issuerYAML is the issuer as it is run: with its log, its metrics and its count of tokens.
const issuerYAML = `listen: 127.0.0.1:0
store: {sqlite: issuer.db}
sealKey: seal.key
credentials: keys.yaml
admin: {listen: "127.0.0.1:0"}
audit: {file: audit.jsonl}
usage: usage
drain: {wait: 0s}
keys: {algorithms: {orders: %s}}
`

func build(tags string) (string, error) {
	_, here, _, _ := runtime.Caller(0)
	dir, err := os.MkdirTemp("", "countersign-issuance-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "countersign")
	command := exec.Command("go", "build", "-tags", tags, "-o", file, "./cmd/countersign")
	command.Dir = filepath.Join(filepath.Dir(here), "..", "..")
	command.Env = append(os.Environ(), "GOWORK=") // the program is in the workspace, this module is not
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return file, nil
}

// startIssuer sets up a store with one client and starts the issuer on it. Its log goes where a log of the size would go at best.
func startIssuer(binary, alg string) (*contender, error) {
	dir, err := os.MkdirTemp("", "countersign-issuance-")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "issuer.yaml")
	for name, text := range map[string]string{"issuer.yaml": fmt.Sprintf(issuerYAML, alg), "pool.yaml": poolYAML} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	for _, args := range [][]string{
		{"issuer", "credentials", "add", filepath.Join(dir, "keys.yaml")},
		{"pool", "import", filepath.Join(dir, "pool.yaml"), "--config", config},
	} {
		if out, err := exec.Command(binary, args...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%q: %w\n%s", args, err, out)
		}
	}
	ready := filepath.Join(dir, "ready.json")
	c := &contender{
		name: "countersign " + alg, alg: alg, ours: true, path: "/" + pool + "/oauth2/token",
		command: exec.Command(binary, "issuer", "--config", config, "--ready-file", ready),
	}
	begun := time.Now()
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	for time.Since(begun) < 10*time.Second {
		var where struct{ Address string }
		if text, err := os.ReadFile(ready); err == nil && json.Unmarshal(text, &where) == nil {
			c.address, c.started = where.Address, time.Since(begun)
			c.idle = c.memory()
			return c, nil
		}
		time.Sleep(time.Millisecond)
	}
	return c, errors.New("the issuer does not start")
}
