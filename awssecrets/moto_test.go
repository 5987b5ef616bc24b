package awssecrets_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// moto starts moto's server, a stand-in for AWS that others wrote, and returns a client of its Secrets Manager.
func moto(t *testing.T) *secretsmanager.Client {
	t.Helper()
	program, err := exec.LookPath("moto_server")
	if err != nil {
		cache, _ := os.UserCacheDir()
		found, _ := filepath.Glob(filepath.Join(cache, "countersign-ci", "*", "bin", "moto_server"))
		if len(found) == 0 {
			t.Fatal("moto_server is not installed; .ci/run installs it, and so does: pip install 'moto[server]'")
		}
		program = found[0]
	}
	cmd := exec.Command(program, "-H", "127.0.0.1", "-p", "0")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	running := regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if match := running.FindStringSubmatch(lines.Text()); match != nil {
			go io.Copy(io.Discard, out)
			return secretsmanager.New(secretsmanager.Options{Region: "eu-west-1", BaseEndpoint: &match[1],
				Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "testing", SecretAccessKey: "testing"}, nil
				})})
		}
	}
	t.Fatal("moto_server did not start")
	return nil
}

// TestRotationAgainstMoto replaces a client's secret as `countersign rotate` does, and in the wrong order too, with
// Secrets Manager as moto plays it.
func TestRotationAgainstMoto(t *testing.T) {
	api := moto(t)
	var live atomic.Value // the secrets that the issuer takes
	live.Store([]string{"one"})
	var granted atomic.Int64
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, given, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		for _, secret := range live.Load().([]string) {
			if id == "reader" && given == secret {
				fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, granted.Add(1))
				return
			}
		}
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":"invalid_client"}`)
	}))
	defer issuer.Close()

	ctx, name := t.Context(), "orders/reader"
	must(t, api.CreateSecret)(ctx, &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String(credential("one"))})
	secret := newSecret(t, api)
	// Each is a program that starts: its token is not at hand.
	asks := func(when string, fallback bool) {
		t.Helper()
		source, err := clientcredentials.New(clientcredentials.Config{TokenEndpoint: issuer.URL, Credentials: secret})
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		if _, err := source.Token(ctx); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		if stats := source.Stats(); stats.SecretFallback != fallback {
			t.Errorf("%s: %+v, want fallback %v", when, stats, fallback)
		}
	}
	asks("before", false)

	// The second secret is staged, and the issuer drops the first one too early: the pending one is the fall-back.
	put := must(t, api.PutSecretValue)(ctx, &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: aws.String(credential("two")), VersionStages: []string{"AWSPENDING"}})
	live.Store([]string{"one", "two"})
	asks("staged", false)
	live.Store([]string{"two"})
	asks("staged, and the old one gone", true)

	// Promoted: a program that has read the secret before is refused once, reads it again and goes on.
	described := must(t, api.DescribeSecret)(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	for version, stages := range described.VersionIdsToStages {
		for _, stage := range stages {
			if stage == "AWSCURRENT" {
				must(t, api.UpdateSecretVersionStage)(ctx, &secretsmanager.UpdateSecretVersionStageInput{
					SecretId: &name, VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: put.VersionId, RemoveFromVersionId: aws.String(version)})
			}
		}
	}
	secret = newSecret(t, api)
	asks("promoted", false)

	// Published before the issuer knows it, while both were to live: the source that runs keeps the one that works.
	must(t, api.PutSecretValue)(ctx, &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: aws.String(credential("three"))})
	live.Store([]string{"two", "three"})
	secret = newSecret(t, api)
	asks("the third one", false)
}

// must fails the test on an error of an operation.
func must[In, Out any](t *testing.T, call func(context.Context, In, ...func(*secretsmanager.Options)) (Out, error)) func(context.Context, In) Out {
	return func(ctx context.Context, in In) Out {
		t.Helper()
		out, err := call(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}
