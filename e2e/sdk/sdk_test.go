package sdk

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// TestSDKs: both SDKs walk through every operation that the issuer has: they build the requests, sign them, and read the
// answers and the errors by their own models.
func TestSDKs(t *testing.T) {
	env := start(t)
	for name, walk := range map[string]func(t *testing.T) string{
		"boto3": func(t *testing.T) string {
			return output(t, env, installed(t, "venv", "bin", "python"), "testdata/walk.py")
		},
		"JavaScript": func(t *testing.T) string {
			return output(t, env, "node", filepath.Join(javascript(t), "walk.cjs"), "testdata/walk.json")
		},
	} {
		t.Run(name, func(t *testing.T) {
			walked := strings.Fields(walk(t))
			for _, feature := range cognito.Compatibility() {
				if feature.Area == "Operations" && feature.Support == cognito.Supported && !slices.Contains(walked, feature.Name) {
					t.Errorf("%s was not called", feature.Name)
				}
			}
		})
	}
}

// javascript installs AWS's SDK for JavaScript beside the program that uses it.
func javascript(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "javascript"))); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm: %v\n%s", err, out)
	}
	return dir
}

// TestAWSIssuer: programs that have AWS's URLs built in reach the issuer, and learn of the proxy and of its certificate from
// the environment alone.
func TestAWSIssuer(t *testing.T) {
	env := without(start(t, "--aws-issuer"), "AWS_ENDPOINT_URL")
	issuer := lookup(t, env, "COUNTERSIGN_ISSUER")
	if !strings.HasPrefix(issuer, "https://cognito-idp.ap-southeast-1.amazonaws.com/") {
		t.Fatalf("issuer %s", issuer)
	}
	keys := issuer + "/.well-known/jwks.json"
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	python := installed(t, "venv", "bin", "python")
	for name, fetched := range map[string]func(t *testing.T) string{
		"curl": func(t *testing.T) string { return output(t, env, "curl", "-sSf", keys) },
		"Go":   func(t *testing.T) string { return output(t, append(env, asFetcher+"="+keys), self) },
		"Node": func(t *testing.T) string { return output(t, env, "node", "testdata/fetch.cjs", keys) },
		"Python": func(t *testing.T) string {
			return output(t, env, python, "-c", "import sys, requests; print(requests.get(sys.argv[1], timeout=20).text)", keys)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if body := fetched(t); !strings.HasPrefix(body, `{"keys":[`) {
				t.Errorf("%s", body)
			}
		})
	}
	t.Run("token", func(t *testing.T) {
		body := output(t, env, "curl", "-sSf", "-H", "Authorization: Basic "+lookup(t, env, "CLIENT_CREDENTIALS_READ"),
			"-d", "grant_type=client_credentials", lookup(t, env, "TOKEN_ENDPOINT"))
		if !strings.HasPrefix(body, `{"access_token":"ey`) {
			t.Error("no token")
		}
	})
	t.Run("boto3", func(t *testing.T) { output(t, env, python, "testdata/walk.py") })
	t.Run("another host", func(t *testing.T) {
		body := output(t, env, "curl", "-s", "-o", "/dev/null", "-w", "%{http_connect}\n", "https://sts.ap-southeast-1.amazonaws.com/", "--next", "-s", "-o", "/dev/null", keys)
		if !strings.HasPrefix(body, "403") {
			t.Errorf("the proxy answered %s", body)
		}
	})
}

// fetch prints what Go's default client gets.
func fetch(url string) int {
	res, err := http.Get(url)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer res.Body.Close()
	if _, err := io.Copy(os.Stdout, res.Body); err != nil {
		return 1
	}
	return 0
}
