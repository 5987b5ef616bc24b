package serve_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/serve"
)

// least is a configuration with nothing that can be left out.
const least = `store:
  sqlite: issuer.db
sealKey: seal.key
credentials: keys.yaml
`

// kmsIssuer lacks the sealing key only.
const kmsIssuer = "store: {sqlite: a}\ncredentials: b\nbaseURL: https://issuer.example.com\n"

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	path := write(t, "issuer.yaml", least)
	c, err := serve.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "localhost:8081" || c.Region != "us-east-1" || c.AccountID != "000000000000" || c.Log.Format != "json" ||
		c.Drain.Wait != 5*time.Second || c.Drain.Timeout != 20*time.Second {
		t.Errorf("got %+v", c)
	}
	if want := filepath.Join(filepath.Dir(path), "issuer.db"); c.Store.SQLite != want {
		t.Errorf("the database is %s, want it beside the file: %s", c.Store.SQLite, want)
	}
}

func TestMistakes(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"an unknown key", least + "regoin: x\n", `:5:1: the key "regoin" is unknown; known here: listen, connections, baseURL,`},
		{"an unknown key below", least + "drain:\n  waits: 1s\n", `:6:3: the key "waits" is unknown in "drain"; known here: wait, timeout`},
		{"a key twice", least + "sealKey: x\n", `:5:1: the member "sealKey" is there twice`},
		{"no store", "sealKey: a\ncredentials: b\n", `: store has neither sqlite`},
		{"two stores", "store: {sqlite: a, postgres: {dsnEnv: B}}\nsealKey: a\ncredentials: b\n", `:1:8: store has both`},
		{"two DSNs", "store: {postgres: {dsnEnv: B, dsnFile: c}}\nsealKey: a\ncredentials: b\n", `:1:19: store.postgres has both`},
		{"a DSN in the file", "store: {postgres: 'postgres://u:hunter2@h/d'}\nsealKey: a\ncredentials: b\n", `:1:19: store.postgres is a string, want a mapping`},
		{"no sealing key", "store: {sqlite: a}\ncredentials: b\n", `: sealKey is missing`},
		{"a KMS key for a file", "store: {sqlite: a}\ncredentials: b\nsealKey: alias/issuer\n", `:3:10: sealKey.file "alias/issuer" is a KMS key and no file; write sealKey: {file: seal.key, kms: alias/issuer}`},
		{"a file for a KMS key", kmsIssuer + "sealKey: {file: a, kms: seal.key}\n", `:4:25: sealKey.kms "seal.key" is no KMS key; write its ARN, its id, or alias/NAME; a file is written at sealKey.file`},
		{"file and KMS key swapped", kmsIssuer + "sealKey: {file: 'arn:aws:kms:a', kms: seal.key}\n", `:4:17: sealKey.file "arn:aws:kms:a" is a KMS key and no file`},
		{"a KMS key without a file", kmsIssuer + "sealKey: {kms: alias/issuer}\n", `:4:10: sealKey has kms and no file; write the file of the encrypted key too`},
		{"no file and no KMS key", kmsIssuer + "sealKey: {issuer: a}\n", `:4:10: sealKey has no file`},
		{"a context without KMS", kmsIssuer + "sealKey: {file: a, issuer: b}\n", `:4:28: sealKey.issuer goes with sealKey.kms`},
		{"no name for the context", "store: {sqlite: a}\ncredentials: b\nsealKey: {file: a, kms: alias/issuer}\n", `:3:10: sealKey has kms, whose encryption context names the issuer; write baseURL, or sealKey.issuer`},
		{"an unknown key of the sealing key", kmsIssuer + "sealKey: {file: a, key: b}\n", `:4:20: the key "key" is unknown in "sealKey"; known here: file, kms, issuer`},
		{"a list of sealing keys", kmsIssuer + "sealKey: [a]\n", `:4:10: sealKey is an array, want a mapping`},
		{"no access keys", "store: {sqlite: a}\nsealKey: b\n", `: credentials is missing`},
		{"in clear to the world", least + "listen: 0.0.0.0:80\nbaseURL: https://a.example.com\n", `:5:9: listen 0.0.0.0:80 is reached by others`},
		{"no base URL", least + "listen: :80\ninsecureAllowHTTP: true\n", `: baseURL is missing`},
		{"an address without a port", least + "listen: localhost\n", `:5:9: listen "localhost" is not of the form host:port`},
		{"a base URL with a path", least + "baseURL: https://a.example.com/x\n", `:5:10: baseURL has the path "/x"`},
		{"openid discovery s3: a base URL with a query", least + "baseURL: https://a.example.com?x\n", `:5:10: baseURL "https://a.example.com?x" is not an absolute URL`},
		{"a number for an account", least + "accountId: 012\n", `:5:12: accountId is not twelve digits; write it in quotes`},
		{"half a certificate", least + "tls: {key: a}\n", `:5:6: tls needs both certificate and key`},
		{"no connections", least + "connections: 0\n", `:5:14: connections is "0", want a whole number above 0`},
		{"a few connections", least + "connections: 3\n", `:5:14: connections is 3, want 16 or more`},
		{"half a connection", least + "connections: 99.5\n", `:5:14: connections is "99.5", want a whole number above 0`},
		{"connections in words", least + "connections: many\n", `:5:14: connections is "many", want a whole number above 0`},
		{"a duration without a unit", least + "drain: {wait: 5}\n", `:5:15: drain.wait is "5", want a duration`},
		{"a negative duration", least + "drain: {wait: -5s}\n", `:5:15: drain.wait is "-5s", want a duration`},
		{"a level", least + "log: {level: loud}\n", `:5:14: log.level is "loud", want one of debug, info, warn, error`},
		{"a word for a switch", least + "insecureAllowHTTP: please\n", `:5:20: insecureAllowHTTP is a string, want a boolean`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "issuer.yaml", tt.text)
			_, err := serve.Load(path)
			if err == nil || !strings.Contains(err.Error(), filepath.Base(path)+tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error has the password: %v", err)
			}
		})
	}
}

// TestAllMistakesAtOnce: a person who corrects a file wants to do so once.
func TestAllMistakesAtOnce(t *testing.T) {
	_, err := serve.Load(write(t, "issuer.yaml", "listen: here\nadmin: {listen: there}\nbaseURL: nowhere\nregion: moon\naccountId: x\n"))
	for _, want := range []string{"listen", "admin.listen", "baseURL", "region", "accountId", "store", "sealKey", "credentials"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not speak of %s", err, want)
		}
	}
}

// TestThePageListsTheKeys holds docs/issuer.md to the structure that the file is read into.
func TestThePageListsTheKeys(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "issuer.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range serve.Keys() {
		row := "| `" + key.Name + "` | " + key.Doc + " | " + key.Default + " |"
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/issuer.md lacks the row\n%s", row)
		}
	}
}

// TestThePageHasAFileThatIsRead takes each configuration of the page as a user would.
func TestThePageHasAFileThatIsRead(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "issuer.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, block := range strings.Split(string(page), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		if !strings.HasPrefix(text, "# issuer.yaml") {
			continue
		}
		found++
		if _, err := serve.Load(write(t, "issuer.yaml", text)); err != nil {
			t.Error(err)
		}
	}
	if found < 2 {
		t.Errorf("the page has %d configuration files, want one for a process and one for replicas", found)
	}
}
