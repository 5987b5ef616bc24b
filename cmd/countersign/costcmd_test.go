package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/cost"
)

// TestCost counts tokens of a running issuer, by both doors, and prices them.
func TestCost(t *testing.T) {
	dir := t.TempDir()
	r := startIssuer(t, dir, "usage: usage\n")
	pool, client := makePool(t, r.api())
	const asked = 61
	for range asked {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.issuer+"/"+pool+"/oauth2/token",
			strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth(*client.ClientId, *client.ClientSecret)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status)
		}
	}
	if code, _ := r.stop(); code != 0 { // which writes what was counted
		t.Fatalf("exit code %d", code)
	}
	var bill cost.Bill
	if err := json.Unmarshal([]byte(done(t, "cost", "--config", r.config, "--output", "json")), &bill); err != nil {
		t.Fatal(err)
	}
	// Tokens of five minutes: twelve lives in an hour, so that 61 tokens are five a life. Between two hours they are two and a half.
	if bill.Tokens != asked || bill.Clients != 1 || bill.Rows[0].Client != *client.ClientId || bill.Rows[0].Name != "machine" || bill.Rows[0].PerLife < 2.5 || bill.Rows[0].PerLife > 5.1 || len(bill.Warnings) != 0 {
		t.Errorf("got %+v", bill)
	}
	out := done(t, "cost", "--usage", filepath.Join(dir, "usage"), "--processes", "1")
	warned := regexp.MustCompile(`warning: app client ` + *client.ClientId + ` \(machine\) asks for [2-5] tokens in the life of one`)
	if !warned.MatchString(out) || !strings.Contains(out, "prices of 2025-05-01") {
		t.Errorf("got %s", out)
	}
	if code, _, _ := typed(t, "cost", "--config", r.config, "--budget", "0.01"); code != 1 {
		t.Errorf("over the budget: exit code %d", code)
	}
	done(t, "cost", "--config", r.config, "--budget", "1000")
}

func TestCostMistakes(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "issuer.yaml")
	if err := os.WriteFile(config, []byte(issuerYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, want string
		args       []string
	}{
		{"nothing is counted", "usage is not there", []string{"cost", "--config", config}},
		{"no directory", "no such file", []string{"cost", "--usage", filepath.Join(dir, "none")}},
		{"a month", `"May" is no month; write it as 2026-11`, []string{"cost", "--usage", dir, "--month", "May"}},
		{"prices", "no such file", []string{"cost", "--usage", dir, "--prices", filepath.Join(dir, "none.yaml")}},
		{"two places", "--usage, --state and --config are different places", []string{"cost", "--usage", dir, "--config", config}},
		{"no process", "--processes is less than 1", []string{"cost", "--usage", dir, "--processes", "0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := typed(t, tt.args...)
			if code != 2 || stdout != "" || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, %q, %q; want %q", code, stdout, stderr, tt.want)
			}
		})
	}
}
