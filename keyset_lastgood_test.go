package countersign

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// lastGoodIn returns the setting for a last-good file in dir.
func lastGoodIn(dir string) func(*keySourceConfig) {
	return func(cfg *keySourceConfig) { cfg.lastGoodFile = filepath.Join(dir, "keys") }
}

func TestAStartWhileTheIssuerIsDownServesFromTheLastGoodFile(t *testing.T) {
	dir := t.TempDir()
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a", "b")
		first := startKeys(t, issuer, lastGoodIn(dir))
		first.want(t, "a", nil)
		first.Close()
		info, err := os.Stat(filepath.Join(dir, "keys"))
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Fatalf("file %v, %v; want mode 0600", info, err)
		}

		issuer.answerDiscovery(hang)
		time.Sleep(time.Hour)
		start := time.Now()
		second := startKeys(t, issuer, lastGoodIn(dir))
		second.want(t, "a", nil)
		second.want(t, "b", nil)
		if waited := time.Since(start); waited != 0 {
			t.Errorf("the first request waited %v", waited)
		}
		if s := second.state(); s.age < time.Hour || !s.fromFile || s.keys != 2 {
			t.Errorf("state %+v: the age is that of the fetch, not of the start", s)
		}
		// MaxStale counts from the fetch too.
		time.Sleep(23*time.Hour + time.Second)
		synctest.Wait()
		second.want(t, "a", errKeysUnavailable)
	})
}

func TestAKeyOfTheLastGoodFileThatTheIssuerNoLongerHasGetsNoGrace(t *testing.T) {
	dir := t.TempDir()
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a", "b")
		first := startKeys(t, issuer, lastGoodIn(dir))
		first.want(t, "a", nil)
		first.Close()
		issuer.publish("b")
		issuer.answerKeys(func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return answerText(200, issuer.jwkSet())(r)
		})
		second := startKeys(t, issuer, lastGoodIn(dir))
		second.want(t, "a", nil)
		before := second.generation()
		time.Sleep(2 * time.Second)
		second.want(t, "a", errUnknownKey)
		second.want(t, "b", nil)
		if second.generation() == before {
			t.Error("the generation did not change")
		}
	})
}

func TestTheLastGoodFileIsReplacedAsAWholeAndLeavesNoOtherFile(t *testing.T) {
	dir := t.TempDir()
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer, lastGoodIn(dir))
		k.want(t, "a", nil)
		time.Sleep(time.Hour)
		issuer.answerKeys(answerText(200, `{"keys":[]}`)) // never replaces a good set, here neither
		time.Sleep(time.Hour)
		k.Close()
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 || entries[0].Name() != "keys" {
			t.Errorf("directory has %v, %v", entries, err)
		}
		content, err := os.ReadFile(filepath.Join(dir, "keys"))
		if err != nil || !strings.Contains(string(content), `"kid":"a"`) {
			t.Errorf("file is %q, %v", content, err)
		}
	})
}

func TestTheLastGoodFileIsUntrustedInput(t *testing.T) {
	jwk, err := jose.AppendJWK(nil, newFakeKeysIssuer("a").keys["a"].Public(), "a", jose.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	set := `{"keys":[` + string(jwk) + `]}`
	header := func(version, issuer string, age time.Duration) string {
		at := time.Now().Add(-age).UTC().Format(time.RFC3339Nano)
		return fmt.Sprintf(`{"version":%q,"issuer":%q,"fetched":%q}`+"\n", version, issuer, at)
	}
	for _, tt := range []struct {
		name    string
		content func() string
		mode    os.FileMode
		want    string // in the log; "" for a file that serves
	}{
		{"good", func() string { return header(lastGoodVersion, keysIssuer, time.Hour) + set }, 0o600, ""},
		{"from a clock a little ahead", func() string { return header(lastGoodVersion, keysIssuer, -time.Second) + set }, 0o600, ""},
		{"from the future", func() string { return header(lastGoodVersion, keysIssuer, -time.Hour) + set }, 0o600, "in the future"},
		{"older than MaxStale", func() string { return header(lastGoodVersion, keysIssuer, 24*time.Hour) + set }, 0o600, "more than MaxStale"},
		{"of another issuer", func() string { return header(lastGoodVersion, "https://evil.test", time.Hour) + set }, 0o600, "another issuer"},
		{"of another version", func() string { return header("countersign keys 9", keysIssuer, time.Hour) + set }, 0o600, "not a file of last good keys"},
		{"without a time", func() string {
			return `{"version":"` + lastGoodVersion + `","issuer":"` + keysIssuer + `","fetched":"now"}` + "\n" + set
		}, 0o600, "no time"},
		{"empty", func() string { return "" }, 0o600, "not a file of last good keys"},
		{"a key set alone", func() string { return set }, 0o600, "not a file of last good keys"},
		{"torn", func() string { return header(lastGoodVersion, keysIssuer, time.Hour) + set[:40] }, 0o600, "not a JWK set"},
		{"without keys", func() string { return header(lastGoodVersion, keysIssuer, time.Hour) + `{"keys":[]}` }, 0o600, "no key"},
		{"of 64 MB", func() string { return strings.Repeat(" ", 64<<20) }, 0o600, "longer than"},
		{"writable by all", func() string { return header(lastGoodVersion, keysIssuer, time.Hour) + set }, 0o602, "can write it"},
	} {
		if tt.mode != 0o600 && runtime.GOOS == "windows" {
			continue // no such bits
		}
		dir := t.TempDir()
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				name := filepath.Join(dir, "keys")
				if err := errors.Join(os.WriteFile(name, []byte(tt.content()), tt.mode), os.Chmod(name, tt.mode)); err != nil {
					t.Fatal(err)
				}
				issuer := newFakeKeysIssuer()
				issuer.answerDiscovery(answerText(500, ""))
				k := startKeys(t, issuer, lastGoodIn(dir))
				synctest.Wait()
				if tt.want == "" {
					k.want(t, "a", nil)
					return
				}
				k.want(t, "a", errKeysUnavailable)
				if !strings.Contains(k.log.String(), tt.want) || strings.Contains(k.log.String(), "evil.test") {
					t.Errorf("log %q does not say %q", k.log, tt.want)
				}
			})
		})
	}
}

func TestALastGoodFileThatCannotBeWrittenIsLoggedOnceAndHarmsNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	inBubble(t, func(t *testing.T) {
		k := startKeys(t, newFakeKeysIssuer("a"), lastGoodIn(dir))
		synctest.Wait()
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		k.want(t, "a", nil)
		k.Close()
		if n := strings.Count(k.log.String(), "could not be written"); n != 1 {
			t.Errorf("logged %d times: %s", n, k.log)
		}
	})
}

func TestAWriteThatFailsLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "keys")
	if err := os.MkdirAll(filepath.Join(name, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := &lastGoodFile{name: name, issuer: keysIssuer}
	first, second := f.write(lastGood{body: []byte("{}")}), f.write(lastGood{body: []byte("{}")})
	if first == nil || second == nil || first.Error() != second.Error() {
		t.Errorf("errors %v and %v, want one and the same", first, second)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("directory has %v, %v", entries, err)
	}
}

func TestALastGoodFileThatCannotBeKeptIsAConfigurationError(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		filepath.Join(dir, "none", "keys"): "its directory",
		filepath.Join(file, "keys"):        "director", // "not a directory", in the words of the system or ours
		dir:                                "not a regular file",
	} {
		if err := checkLastGoodPath(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if err := checkLastGoodPath(file); err != nil {
		t.Error(err)
	}
}

func TestAPinnedFileNeedsNoNetwork(t *testing.T) {
	name := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(name, []byte(newFakeKeysIssuer("a", "b").jwkSet()), 0o644); err != nil {
		t.Fatal(err)
	}
	k, err := newKeySource(keySourceConfig{issuer: keysIssuer, keysFile: name, algorithms: []jose.Algorithm{jose.EdDSA}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		kid  string
		alg  jose.Algorithm
		want error
	}{
		{"a", jose.EdDSA, nil}, {"b", jose.EdDSA, nil}, {"c", jose.EdDSA, errUnknownKey}, {"a", jose.RS256, errUnknownKey}, {"", jose.EdDSA, errUnknownKey},
	} {
		if _, err := k.key(t.Context(), tt.kid, tt.alg); err != tt.want {
			t.Errorf("kid %q, %s: %v, want %v", tt.kid, tt.alg, err, tt.want)
		}
	}
	if s := k.(keyStater).state(); s.keys != 2 || s.stale || s.issuer != keysIssuer {
		t.Errorf("state %+v", s)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}

func TestAPinnedFileThatCannotServeIsAConfigurationError(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(name, []byte(content), mode), os.Chmod(name, mode)); err != nil {
			t.Fatal(err)
		}
		return name
	}
	good := newFakeKeysIssuer("a").jwkSet()
	for _, tt := range []struct {
		name, file, want string
		change           func(*keySourceConfig)
	}{
		{"missing", filepath.Join(dir, "none"), "no such file", nil},
		{"a directory", dir, "not a regular file", nil},
		{"not a set", write("html", "<html>", 0o600), "not a JWK set", nil},
		{"without keys", write("empty", `{"keys":[]}`, 0o600), "no key", nil},
		{"for another algorithm", write("alg", good, 0o600), "allowed algorithm", func(cfg *keySourceConfig) { cfg.algorithms = []jose.Algorithm{jose.RS256} }},
		{"with KeysURL", write("both", good, 0o600), "pins the keys", func(cfg *keySourceConfig) { cfg.keysURL = keysURI }},
		{"with LastGoodFile", write("both", good, 0o600), "pins the keys", func(cfg *keySourceConfig) { cfg.lastGoodFile = "x" }},
		{"writable by all", write("open", good, 0o646), "chmod o-w", nil},
	} {
		if tt.name == "writable by all" && runtime.GOOS == "windows" {
			continue // no such bits
		}
		cfg := keySourceConfig{issuer: keysIssuer, keysFile: tt.file, algorithms: []jose.Algorithm{jose.EdDSA}}
		if tt.change != nil {
			tt.change(&cfg)
		}
		if _, err := newKeySource(cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// In a directory that everybody can write to, a file that is neither ours nor root's may have been put there for us.
func TestALastGoodFileThatSomebodyElseMadeIsNotBelieved(t *testing.T) {
	for _, tt := range []struct {
		name  string
		dir   os.FileMode
		owner int
		want  bool
	}{
		{"ours in /tmp", os.ModeSticky | 0o777, 1000, false},
		{"root's in /tmp", os.ModeSticky | 0o777, 0, false},
		{"another's in /tmp", os.ModeSticky | 0o777, 1001, true},
		{"another's in an emptyDir", 0o777, 1001, true},
		{"another's in a directory of our group", os.ModeSetgid | 0o775, 1001, false},
		{"another's in our own directory", 0o700, 1001, false},
	} {
		if got := planted(tt.dir, tt.owner, 1000); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "keys")
	if err := errors.Join(os.WriteFile(name, nil, 0o600), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkPlanted(name, info); err != nil {
		t.Errorf("our own file: %v", err)
	}
	if os.Geteuid() != 0 || os.Chown(name, 12345, -1) != nil {
		return // only root can give a file away
	}
	if info, err = os.Stat(name); err != nil {
		t.Fatal(err)
	}
	if err := checkPlanted(name, info); err == nil || !strings.Contains(err.Error(), "another user's") {
		t.Errorf("another's file: %v", err)
	}
}
