package clientcredentials_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// takes is an issuer that grants a token for these secrets only.
func takes(secrets ...string) func(int, request) *http.Response {
	return func(_ int, req request) *http.Response {
		for _, secret := range secrets {
			if req.secret == secret {
				return granted("token", 3600)
			}
		}
		return refused(400, "invalid_client")
	}
}

func TestTwoSecretsLive(t *testing.T) {
	for _, c := range []struct {
		name        string
		credentials clientcredentials.Credentials
		takes       string
		requests    int
		fallback    bool
		code        string
	}{
		{"the first works", clientcredentials.Static("reader", "one", "two"), "one", 1, false, ""},
		{"the second works", clientcredentials.Static("reader", "one", "two"), "two", 2, true, ""},
		{"neither works", clientcredentials.Static("reader", "one", "two"), "", 2, false, clientcredentials.InvalidClient},
		{"a third is not tried", clientcredentials.Static("reader", "one", "two", "three"), "three", 2, false, clientcredentials.InvalidClient},
		{"one alone is not tried twice", clientcredentials.Static("reader", "one"), "two", 1, false, clientcredentials.InvalidClient},
		{"twice the same is one", clientcredentials.Static("reader", "one", "one"), "two", 1, false, clientcredentials.InvalidClient},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := &issuer{answer: takes(c.takes)}
			s := i.source(t, func(cfg *clientcredentials.Config) { cfg.Credentials = c.credentials })
			_, err := s.Token(t.Context())
			if (c.code == "") != (err == nil) || err != nil && !errors.Is(err, &clientcredentials.Error{Code: c.code}) {
				t.Errorf("got %v, want %q", err, c.code)
			}
			stats := s.Stats()
			if i.count() != c.requests || stats.Requests != int64(c.requests) || stats.SecretFallback != c.fallback {
				t.Errorf("%d requests, %+v; want %d, fallback %t", i.count(), stats, c.requests, c.fallback)
			}
		})
	}
}

// TestRotation walks through the replacement of a secret as Cognito has it, with two that are active for a while.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		published := []clientcredentials.Credential{{ClientID: "reader", ClientSecret: "one"}}
		log := &logBuffer{}
		i := &issuer{answer: takes("one")}
		s := i.source(t, func(cfg *clientcredentials.Config) {
			cfg.Logger = log.logger()
			cfg.Credentials = clientcredentials.Func(func(context.Context) ([]clientcredentials.Credential, error) {
				return published, nil
			})
		})
		renew := func(wantSecret string, wantFallback bool, wantGeneration int64) {
			t.Helper()
			time.Sleep(time.Hour)
			token(t, s)
			stats := s.Stats()
			if got := i.last().secret; got != wantSecret || stats.SecretFallback != wantFallback || stats.SecretGeneration != wantGeneration {
				t.Errorf("secret %q, %+v; want %q, fallback %t, generation %d", got, stats, wantSecret, wantFallback, wantGeneration)
			}
		}
		renew("one", false, 1)
		published[0].ClientSecret = "two" // published before the issuer knows it
		const refused = "the preferred client secret is refused"
		if strings.Contains(log.String(), refused) {
			t.Error("a refusal is in the log before there was one")
		}
		renew("one", true, 1)
		renew("one", true, 1)
		if n := strings.Count(log.String(), refused); n != 1 {
			t.Errorf("the log says %d times that the published secret is refused, want once", n)
		}
		i.set(takes("one", "two"))
		renew("two", false, 2)
		i.set(takes("two")) // the old one is removed
		renew("two", false, 2)
		if !strings.Contains(log.String(), `"generation":2`) {
			t.Error("the change is not in the log")
		}
	})
}

// TestAnotherClientIsNoFallback: a file that was given to another client must not lead back to the old one.
func TestAnotherClientIsNoFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		id := "old"
		i := &issuer{answer: func(_ int, req request) *http.Response {
			if req.id == "old" {
				return granted("token", 3600)
			}
			return refused(400, "invalid_client")
		}}
		s := i.source(t, func(cfg *clientcredentials.Config) {
			cfg.Credentials = clientcredentials.Func(func(context.Context) ([]clientcredentials.Credential, error) {
				return []clientcredentials.Credential{{ClientID: id, ClientSecret: "secret"}}, nil
			})
		})
		token(t, s)
		id = "new"
		time.Sleep(time.Hour)
		if _, err := s.Token(t.Context()); !errors.Is(err, &clientcredentials.Error{Code: clientcredentials.InvalidClient}) {
			t.Errorf("got %v, want invalid_client", err)
		}
	})
}

// TestReReadOnRefusal: the secret is replaced between its reading and the issuer's answer.
func TestReReadOnRefusal(t *testing.T) {
	reads := 0
	i := &issuer{answer: takes("two")}
	s := i.source(t, func(cfg *clientcredentials.Config) {
		cfg.Credentials = clientcredentials.Func(func(context.Context) ([]clientcredentials.Credential, error) {
			reads++
			return []clientcredentials.Credential{{ClientID: "reader", ClientSecret: []string{"one", "two"}[reads-1]}}, nil
		})
	})
	token(t, s)
	if stats := s.Stats(); reads != 2 || i.count() != 2 || stats.SecretFallback || stats.Fallbacks != 0 {
		t.Errorf("%d readings and %d requests, %+v; want 2 and 2, and no fallback: it is the preferred secret now", reads, i.count(), stats)
	}
}

func TestEnv(t *testing.T) {
	t.Setenv("CLIENT_ID_FOR_TEST", "reader")
	t.Setenv("CLIENT_SECRET_FOR_TEST", "s3cret")
	i := &issuer{answer: takes("s3cret")}
	token(t, i.source(t, func(cfg *clientcredentials.Config) {
		cfg.Credentials = clientcredentials.Env("CLIENT_ID_FOR_TEST", "CLIENT_SECRET_FOR_TEST")
	}))
	_, err := clientcredentials.New(clientcredentials.Config{
		TokenEndpoint: endpoint, Credentials: clientcredentials.Env("NO_ID_FOR_TEST", "NO_SECRET_FOR_TEST"),
	})
	for _, name := range []string{"NO_ID_FOR_TEST", "NO_SECRET_FOR_TEST"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFile(t *testing.T) {
	type files map[string]string
	for _, c := range []struct {
		name, path string
		files      files
		want       string // id:secret of each
		says       string // in the error
	}{
		{"JSON", "f", files{"f": `{"client_id":"a","client_secret":"b"}`}, "a:b", ""},
		{"JSON with a second secret", "f", files{"f": `{"client_id":"a","client_secret":"b","client_secret_2":"c","x":[1]}`}, "a:b a:c", ""},
		{"directory", "d", files{"d/client_id": "a", "d/client_secret": "b"}, "a:b", ""},
		{"directory, values with a line end", "d", files{"d/client_id": "a\n", "d/client_secret": "b\r\n"}, "a:b", ""},
		{"directory with a second secret", "d", files{"d/client_id": "a", "d/client_secret": "b", "d/client_secret_2": "c\n"}, "a:b a:c", ""},
		{"directory as Kubernetes mounts it", "d", files{"d/..data/client_id": "a", "d/..data/client_secret": "b"}, "a:b", ""},
		{"missing", "f", nil, "", "no such file"},
		{"directory without a secret", "d", files{"d/client_id": "a"}, "", "client_secret: no such file"},
		{"empty secret", "d", files{"d/client_id": "a", "d/client_secret": "\n"}, "", "empty"},
		{"two lines", "d", files{"d/client_id": "a", "d/client_secret": "b\nc"}, "", "control character"},
		{"no JSON", "f", files{"f": `s3cret`}, "", "is not a JSON object"},
		{"half a JSON", "f", files{"f": `{"client_id":"a","client_secret":"s3cret`}, "", "is not a JSON object"},
		{"JSON without an id", "f", files{"f": `{"client_secret":"s3cret"}`}, "", `no member "client_id"`},
		{"JSON with another spelling", "f", files{"f": `{"Client_ID":"a","client_secret":"s3cret"}`}, "", `no member "client_id"`},
		{"JSON with a number", "f", files{"f": `{"client_id":"a","client_secret":42}`}, "", `"client_secret" is not a string`},
		{"JSON with null", "f", files{"f": `{"client_id":null,"client_secret":"s3cret"}`}, "", `"client_id" is not a string`},
		{"JSON with null for a second secret", "f", files{"f": `{"client_id":"a","client_secret":"b","client_secret_2":null}`}, "a:b", ""},
		{"JSON with a member twice", "f", files{"f": `{"client_id":"a","client_id":"b","client_secret":"s3cret"}`}, "", "is not a JSON object"},
		{"too long", "f", files{"f": strings.Repeat(" ", 1<<17)}, "", "over 65536 bytes"},
		{"a directory for a value", "d", files{"d/client_id": "a", "d/client_secret/x": "b"}, "", "not a regular file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range c.files {
				write(t, filepath.Join(dir, name), content)
			}
			var tried []string
			i := &issuer{answer: func(_ int, req request) *http.Response {
				tried = append(tried, req.id+":"+req.secret)
				return refused(400, "invalid_client")
			}}
			_, err := i.source(t, func(cfg *clientcredentials.Config) {
				cfg.Credentials = clientcredentials.File(filepath.Join(dir, c.path))
			}).Token(t.Context())
			if got := strings.Join(tried, " "); got != c.want {
				t.Errorf("tried %q, want %q", got, c.want)
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %v, want it to say %q", err, c.says)
			}
		})
	}
}

// TestFileIsSwapped replaces a mounted secret as the kubelet does: a new directory, and ..data renamed to it.
func TestFileIsSwapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		publish := func(version, secret string) {
			write(t, filepath.Join(dir, version, "client_id"), "reader")
			write(t, filepath.Join(dir, version, "client_secret"), secret)
			if err := os.Symlink(version, filepath.Join(dir, "..tmp")); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")); err != nil {
				t.Fatal(err)
			}
		}
		publish("..v1", "one")
		for _, name := range []string{"client_id", "client_secret"} {
			if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		i := &issuer{answer: takes("one")}
		s := i.source(t, func(cfg *clientcredentials.Config) { cfg.Credentials = clientcredentials.File(dir) })
		token(t, s)
		publish("..v2", "two")
		if err := os.RemoveAll(filepath.Join(dir, "..v1")); err != nil {
			t.Fatal(err)
		}
		i.set(takes("two"))
		time.Sleep(55 * time.Minute)
		token(t, s)
		synctest.Wait()
		if stats := s.Stats(); stats.Failures != 0 || stats.Requests != 2 || stats.SecretGeneration != 2 {
			t.Errorf("%+v, want the second request to have the second secret", stats)
		}
	})
}

// TestFileOfOneVersion swaps without pause: an id and a secret of different versions never come together.
func TestFileOfOneVersion(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []string{"a", "b"} {
		write(t, filepath.Join(dir, "..v"+version, "client_id"), version)
		write(t, filepath.Join(dir, "..v"+version, "client_secret"), version)
	}
	if err := os.Symlink("..va", filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Symlink("..v"+string("ab"[n%2]), filepath.Join(dir, "..tmp"))
			_ = os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data"))
		}
	}()
	credentials := clientcredentials.File(dir)
	for range 2000 {
		list, err := credentials.Load(t.Context())
		if err != nil {
			t.Error(err)
			break
		}
		if list[0].ClientID != list[0].ClientSecret {
			t.Errorf("the id is of version %s and the secret of %s", list[0].ClientID, list[0].ClientSecret)
			break
		}
	}
	close(stop)
	<-stopped
}

// TestAByteOrderMark: editors and PowerShell put one before a text (RFC 8259, Section 8.1: a parser MAY ignore it).
func TestAByteOrderMark(t *testing.T) {
	const mark = "\xef\xbb\xbf"
	dir := t.TempDir()
	for name, text := range map[string]string{
		"reader.json": `{"client_id":"reader","client_secret":"s3cret"}`, "client_id": "reader\r\n", "client_secret": "s3cret",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(mark+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "reader.json")} {
		list, err := clientcredentials.File(path).Load(t.Context())
		if err != nil || list[0] != (clientcredentials.Credential{ClientID: "reader", ClientSecret: "s3cret"}) {
			t.Errorf("%s: %v, %v", path, list, err)
		}
	}
}

// busy is the error of a store that will have an answer later.
type busy struct{}

func (busy) Error() string   { return "the store is busy" }
func (busy) Temporary() bool { return true }

// TestCredentialsThatAreNotThereYet: a store that fails for a moment is asked again like an issuer that does, and a mistake is not.
func TestCredentialsThatAreNotThereYet(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		loads int
	}{
		{"an outage", fmt.Errorf("store: %w", busy{}), 3},
		{"a mistake", errors.New("there is no such entry"), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				loads := 0
				s := (&issuer{}).source(t, func(cfg *clientcredentials.Config) {
					cfg.Credentials = clientcredentials.Func(func(context.Context) ([]clientcredentials.Credential, error) {
						if loads++; loads < 3 {
							return nil, c.err
						}
						return []clientcredentials.Credential{{ClientID: "reader", ClientSecret: "s3cret"}}, nil
					})
				})
				if _, err := s.Token(t.Context()); (err == nil) != (c.loads == 3) || loads != c.loads {
					t.Errorf("%v after %d loads, want %d", err, loads, c.loads)
				}
			})
		})
	}
}
