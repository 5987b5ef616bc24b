package aws

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/fault"
)

const issuerURL = "http://issuer.example.com"

const kmsConfig = `listen: 127.0.0.1:0
baseURL: ` + issuerURL + `
store: {sqlite: issuer.db}
credentials: keys.yaml
drain: {wait: 0s}
keys: {algorithms: {orders: ES256}}
`

const kmsPool = `UserPool: {Id: us-east-1_AbCdEf123, Name: orders, CreationDate: 1767225600, LastModifiedDate: 1767225600}
ResourceServers: [{UserPoolId: us-east-1_AbCdEf123, Identifier: "https://orders.example.com", Name: orders, Scopes: [{ScopeName: read, ScopeDescription: read}]}]
Clients:
  - UserPoolId: us-east-1_AbCdEf123
    ClientId: 0123456789abcdefghijklmnop
    ClientName: reader
    AllowedOAuthFlowsUserPoolClient: true
    AllowedOAuthFlows: [client_credentials]
    AllowedOAuthScopes: ["https://orders.example.com/read"]
    CreationDate: 1767225600
    LastModifiedDate: 1767225600
    Secrets: [{ID: first, Created: 1767225600, Value: theSecretOfTheReader0123456789theSecretOfTheReader01}]
`

// kmsPlace is a directory with an issuer's configuration, and moto's KMS behind a proxy.
type kmsPlace struct {
	*place
	moto moto
}

func newKMSPlace(t *testing.T) kmsPlace {
	t.Helper()
	m := moto{t, startMoto(t)}
	p := kmsPlace{newPlace(t, "", fault.New(m.url)), m}
	p.write("pool.yaml", kmsPool)
	p.mustRun("issuer", "credentials", "add", "keys.yaml", "--name", "deployer")
	return p
}

func (p kmsPlace) write(name, content string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p kmsPlace) sealKey(value string) { p.write("issuer.yaml", kmsConfig+"sealKey: "+value+"\n") }

// key makes a KMS key, and returns its ARN.
func (p kmsPlace) key() string {
	p.t.Helper()
	meta, _ := p.moto.call("kms", "TrentService.CreateKey", `{}`)["KeyMetadata"].(map[string]any)
	return text(meta, "Arn")
}

// refused runs a command that has to fail with exit code 2 and say so.
func (p kmsPlace) refused(want string, args ...string) {
	p.t.Helper()
	code, out := p.run(args...)
	if code != 2 {
		p.t.Errorf("%q: exit code %d", args, code)
	}
	contains(p.t, out, want)
}

// issue starts the issuer, gets a token while KMS cannot be reached any more, and ends it.
func (p kmsPlace) issue() {
	p.t.Helper()
	p.proxy.Arm("", 0)
	ready := filepath.Join(p.dir, "ready.json")
	command := exec.Command(p.bin, "issuer", "--ready-file", ready)
	var log bytes.Buffer
	command.Dir, command.Env, command.Stderr = p.dir, p.env, &log
	if err := command.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	defer func() {
		command.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil {
			p.t.Errorf("the issuer: %v\n%s", err, &log)
		}
	}()
	address := p.waitFor(ready, ended)
	if address == "" {
		ended <- nil
		p.t.Fatalf("the issuer ended:\n%s", &log)
	}
	if calls := strings.Join(p.proxy.Calls(), " "); calls != "" && calls != "Decrypt" {
		p.t.Errorf("the start calls %s", calls)
	}
	p.proxy.Arm(fault.Cut, 1)
	p.token(address)
	if p.proxy.Hit() {
		p.t.Error("a running issuer asked KMS")
	}
}

func (p kmsPlace) waitFor(ready string, ended <-chan error) string {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return ""
		case <-tick.C:
		}
		var where struct{ Address string }
		if content, err := os.ReadFile(ready); err == nil && json.Unmarshal(content, &where) == nil {
			return where.Address
		}
	}
}

func (p kmsPlace) token(address string) {
	p.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}.Encode()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "http://"+address+"/us-east-1_AbCdEf123/oauth2/token", strings.NewReader(form))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("0123456789abcdefghijklmnop", "theSecretOfTheReader0123456789theSecretOfTheReader01")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(body), "access_token") {
		p.t.Errorf("the token: %s %v %s", answer.Status, err, body)
	}
}

// TestIssuerUnderKMS is the whole walk: the key made under KMS, an issuer that starts with one call and runs without, the
// key moved to another KMS key, and what is said when file and configuration do not fit.
func TestIssuerUnderKMS(t *testing.T) {
	p := newKMSPlace(t)
	first, second := p.key(), p.key()
	p.moto.post(p.moto.url.String()+"/", "TrentService.CreateAlias", `{"AliasName":"alias/issuer","TargetKeyId":`+quoted(first)+`}`, "Authorization",
		"AWS4-HMAC-SHA256 Credential=testing/20260101/ap-southeast-1/kms/aws4_request, SignedHeaders=host, Signature=0")
	p.sealKey("{file: seal.key, kms: alias/issuer}")
	p.refused("make it once with: countersign issuer key-file", "issuer", "check")
	contains(t, p.mustRun("issuer", "key-file", "seal.key", "--kms", "alias/issuer", "--issuer", issuerURL), "a new key, encrypted under "+first)
	p.mustRun("pool", "import", "pool.yaml")
	p.issue()
	p.issue()
	contains(t, p.mustRun("issuer", "key-file", "seal.key", "--kms", first), "nothing to do")
	contains(t, p.mustRun("issuer", "key-file", "seal.key", "--kms", second), "the same key, now encrypted under "+second)
	p.refused("was encrypted under "+second, "issuer")
	p.sealKey("seal.key")
	p.refused("write the KMS key too, as sealKey: {file: ", "issuer", "check")
	p.sealKey("{file: seal.key, kms: '" + second + "', issuer: 'https://other.example.com'}")
	p.refused(`was made for the issuer "`+issuerURL+`"`, "issuer")
	changed, err := os.ReadFile(filepath.Join(p.dir, "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	p.write("seal.key", strings.ReplaceAll(string(changed), issuerURL, "https://other.example.com"))
	p.refused("does not belong to the issuer", "issuer")
	p.write("seal.key", string(changed))
	p.sealKey("{file: seal.key, kms: '" + second + "'}")
	p.issue()
}

// TestKeyFileMovesUnderKMS begins with an issuer that has a plain key file. Every call of the move is cut in turn: the file is the old
// one or the new one. At the end the key is in no file of the issuer, in any form that it had.
func TestKeyFileMovesUnderKMS(t *testing.T) {
	p := newKMSPlace(t)
	arn := p.key()
	p.sealKey("seal.key")
	p.mustRun("pool", "import", "pool.yaml")
	p.issue()
	plain, err := os.ReadFile(filepath.Join(p.dir, "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	move := []string{"issuer", "key-file", "seal.key", "--kms", arn, "--issuer", issuerURL}
	for _, kind := range []fault.Kind{fault.ServerError, fault.CutAfter} {
		for call := 1; call <= 2; call++ {
			p.proxy.Arm(kind, call)
			p.refused("kms:", move...)
			if after, err := os.ReadFile(filepath.Join(p.dir, "seal.key")); err != nil || !bytes.Equal(after, plain) {
				t.Fatalf("call %d %s: the key file has changed: %v", call, kind, err)
			}
		}
	}
	p.sealKey("{file: seal.key, kms: '" + arn + "'}")
	p.refused("to bring it under the KMS key, type: countersign issuer key-file", "issuer")
	contains(t, p.mustRun(move...), "the same key, now encrypted under "+arn)
	p.issue()
	key := regexp.MustCompile(`:([A-Za-z0-9_-]{43}):`).FindStringSubmatch(string(plain))
	raw, err := base64.RawURLEncoding.DecodeString(key[1])
	if err != nil {
		t.Fatal(err)
	}
	p.nowhere(raw, []byte(key[1]), []byte(base64.RawStdEncoding.EncodeToString(raw)))
}

func (p kmsPlace) nowhere(forms ...[]byte) {
	p.t.Helper()
	entries, err := os.ReadDir(p.dir)
	if err != nil || len(entries) < 4 {
		p.t.Fatalf("%v, %v", entries, err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(p.dir, entry.Name()))
		if err != nil {
			p.t.Fatal(err)
		}
		for _, form := range forms {
			if bytes.Contains(content, form) {
				p.t.Errorf("%s has the key in clear", entry.Name())
			}
		}
	}
}

// TestResealUnderKMS: from a plain key to another one that KMS holds, whose call is cut first, and back.
func TestResealUnderKMS(t *testing.T) {
	p := newKMSPlace(t)
	arn := p.key()
	p.sealKey("seal.key")
	p.mustRun("pool", "import", "pool.yaml")
	p.mustRun("issuer", "key-file", "kms.key", "--kms", arn, "--issuer", issuerURL)
	p.refused("name its KMS key with --kms "+arn, "issuer", "reseal", "kms.key")
	p.refused("make it with: countersign issuer key-file none.key --kms "+arn+" --issuer "+issuerURL, "issuer", "reseal", "none.key", "--kms", arn)
	p.proxy.Arm(fault.ServerError, 1)
	p.refused("kms:Decrypt", "issuer", "reseal", "kms.key", "--kms", arn)
	p.issue()
	out := p.mustRun("issuer", "reseal", "kms.key", "--kms", arn)
	contains(t, out, `sealKey: {file: "kms.key", kms: "`+arn+`", issuer: "`+issuerURL+`"}`)
	p.refused("sealed with another key", "issuer", "keys", "list")
	p.sealKey(`{file: kms.key, kms: "` + arn + `"}`)
	p.issue()
	contains(t, p.mustRun("issuer", "reseal", "seal.key"), `sealKey: "seal.key"`)
	p.sealKey("seal.key")
	p.issue()
}
