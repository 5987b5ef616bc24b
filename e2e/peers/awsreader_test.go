package peers

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// awsReader is a directory with the script and what it needs, as the lock file pins it.
type awsReader string

func newAWSReader(t *testing.T) awsReader {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "node"))); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm: %v\n%s", err, out)
	}
	return awsReader(dir)
}

// awsInput is what aws-jwt-verify has to know.
type awsInput struct {
	PoolID string          `json:"userPoolId"`
	Client string          `json:"clientId"`
	Scope  string          `json:"scope"`
	KeySet json.RawMessage `json:"jwks"`
	Now    time.Time       `json:"-"`
	Millis int64           `json:"now"`
	Tokens [][]byte        `json:"tokens"`
}

// ask returns why aws-jwt-verify refuses each token, and "" for the ones that it accepts.
func (a awsReader) ask(t *testing.T, input awsInput, questions []question) []string {
	t.Helper()
	input.Scope, input.Millis = poolScopes[0], input.Now.UnixMilli()
	for _, q := range questions {
		input.Tokens = append(input.Tokens, []byte(q.token))
	}
	node := exec.CommandContext(t.Context(), "node", "verify.mjs")
	node.Dir = string(a)
	node.Stdin = bytes.NewReader(must(json.Marshal(input)))
	node.Stderr = t.Output()
	out, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	var verdicts []string
	if err := json.Unmarshal(out, &verdicts); err != nil || len(verdicts) != len(questions) {
		t.Fatalf("node gave %d verdicts: %v", len(verdicts), err)
	}
	return verdicts
}
