package kmskey_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/kmskey"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
)

const issuer = "https://issuer.example.com"

func put(t *testing.T, k kmskey.Key, want kmskey.Done) *seal.Envelope {
	t.Helper()
	done, e, err := kmskey.Put(t.Context(), k)
	if err != nil || done != want {
		t.Fatalf("%+v: %q, %v; want %q", k, done, err, want)
	}
	return e
}

func open(t *testing.T, k kmskey.Key) *seal.Sealer {
	t.Helper()
	s, err := kmskey.Open(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMakeOpenMove(t *testing.T) {
	service := startKMS(t)
	k := kmskey.Key{File: filepath.Join(t.TempDir(), "state", "seal.key"), KMS: "alias/issuer", Issuer: issuer}
	put(t, k, kmskey.Made)
	if got := service.taken(); got != "GenerateDataKey Decrypt" {
		t.Errorf("making calls %s", got)
	}
	sealed := open(t, k).Seal([]byte("secret"), nil)
	if got := service.taken(); got != "Decrypt" {
		t.Errorf("a start calls %s; a role that may decrypt has to be enough", got)
	}
	before := read(t, k.File)
	put(t, kmskey.Key{File: k.File, KMS: arnA}, kmskey.Nothing)
	if !bytes.Equal(read(t, k.File), before) {
		t.Error("nothing was to be done, and the file has changed")
	}
	moved := k
	moved.KMS = arnB
	if e := put(t, kmskey.Key{File: k.File, KMS: arnB}, kmskey.Moved); e.KMSKey != arnB || e.Issuer != issuer {
		t.Errorf("got %+v", e)
	}
	if _, err := kmskey.Open(t.Context(), k); err == nil || !strings.Contains(err.Error(), "was encrypted under "+arnB) ||
		!strings.Contains(err.Error(), "countersign issuer key-file") {
		t.Errorf("under the old key: %v", err)
	}
	renamed := kmskey.Key{File: k.File, KMS: arnB, Issuer: "https://new.example.com"}
	put(t, renamed, kmskey.Moved)
	if got, err := open(t, renamed).Open(sealed, nil); err != nil || string(got) != "secret" {
		t.Errorf("what was sealed before: %q, %v", got, err)
	}
}

// TestMovePlain: the key file becomes an envelope of the same key, and the key is in no file of the directory any more.
func TestMovePlain(t *testing.T) {
	startKMS(t)
	k := kmskey.Key{File: filepath.Join(t.TempDir(), "seal.key"), KMS: arnA, Issuer: issuer}
	plain, err := seal.OpenKeyFile(k.File)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kmskey.Open(t.Context(), k); !errors.Is(err, seal.ErrPlain) || !strings.Contains(err.Error(), "--kms "+arnA+" --issuer "+issuer) {
		t.Errorf("before: %v", err)
	}
	put(t, k, kmskey.Moved)
	if got := open(t, k).KeyID(); got != plain.KeyID() {
		t.Errorf("the key is %s, and was %s", got, plain.KeyID())
	}
	if _, err := seal.ReadKeyFile(k.File); !errors.Is(err, seal.ErrEncrypted) {
		t.Errorf("read as a key file: %v", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(k.File)); err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v, %v", entries, err)
	}
}

// TestRefused: each error of KMS says what to do about it, and nothing is written or changed.
func TestRefused(t *testing.T) {
	for _, tt := range []struct{ operation, code, want string }{
		{"Decrypt", "AccessDeniedException", `"kms:Decrypt"`},
		{"Decrypt", "AccessDeniedException", "arn:aws:kms:eu-west-1:*:key/*"},
		{"Decrypt", "AccessDeniedException", "the policy of the KMS key has to let them too"},
		{"Decrypt", "DisabledException", "aws kms enable-key --region eu-west-1 --key-id " + arnA},
		{"Decrypt", "KMSInvalidStateException", "aws kms cancel-key-deletion"},
		{"Decrypt", "NotFoundException", "there is no KMS key alias/issuer in region eu-west-1"},
		{"Decrypt", "InvalidCiphertextException", "does not belong to the issuer \"" + issuer + "\""},
	} {
		t.Run(tt.code, func(t *testing.T) {
			service := startKMS(t)
			k := kmskey.Key{File: filepath.Join(t.TempDir(), "seal.key"), KMS: "alias/issuer", Issuer: issuer}
			put(t, k, kmskey.Made)
			before := read(t, k.File)
			service.refuse[tt.operation] = tt.code
			_, err := kmskey.Open(t.Context(), k)
			_, _, moving := kmskey.Put(t.Context(), kmskey.Key{File: k.File, KMS: arnB})
			other := filepath.Join(t.TempDir(), "other.key")
			_, _, making := kmskey.Put(t.Context(), kmskey.Key{File: other, KMS: arnA, Issuer: issuer})
			if err == nil || !strings.Contains(err.Error(), "kms:Decrypt: "+tt.code) || !strings.Contains(err.Error(), tt.want) || moving == nil {
				t.Errorf("got %v, %v\nwant %s", err, moving, tt.want)
			}
			if making == nil || !strings.HasPrefix(making.Error(), "nothing was written, since what KMS has encrypted does not open again") {
				t.Errorf("a new file: %v", making)
			}
			if _, err := os.Stat(other); !errors.Is(err, fs.ErrNotExist) || !bytes.Equal(read(t, k.File), before) {
				t.Error("a file was written")
			}
			if strings.Contains(err.Error(), "secret-of-the-key") {
				t.Error("the access key is in it")
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	startKMS(t)
	k := kmskey.Key{File: filepath.Join(t.TempDir(), "seal.key"), KMS: arnA, Issuer: issuer}
	put(t, k, kmskey.Made)
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	if _, err := kmskey.Open(t.Context(), k); err == nil || !strings.Contains(err.Error(), "kms:Decrypt: cannot connect") ||
		!strings.Contains(err.Error(), "an issuer that runs goes on without it") {
		t.Errorf("got %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	if _, err := kmskey.Open(t.Context(), k); err == nil || !strings.Contains(err.Error(), "no AWS credentials\nKMS decrypts the sealing key at the start: give the process a role") {
		t.Errorf("got %v", err)
	}
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	if _, err := kmskey.Open(t.Context(), kmskey.Key{File: k.File, KMS: "alias/issuer", Issuer: issuer}); err == nil ||
		!strings.Contains(err.Error(), "no AWS region: write the ARN of the KMS key") {
		t.Errorf("got %v", err)
	}
}

// TestAnotherFile: the name in the file is a help for people, and KMS is who refuses when somebody changes it.
func TestAnotherFile(t *testing.T) {
	service := startKMS(t)
	k := kmskey.Key{File: filepath.Join(t.TempDir(), "seal.key"), KMS: arnA, Issuer: "https://other.example.com"}
	e := put(t, k, kmskey.Made)
	k.Issuer = issuer
	service.taken()
	if _, err := kmskey.Open(t.Context(), k); err == nil || !strings.Contains(err.Error(), `was made for the issuer "https://other.example.com"`) {
		t.Errorf("got %v", err)
	}
	if got := service.taken(); got != "" {
		t.Errorf("KMS was asked: %s", got)
	}
	e.Issuer = issuer
	if err := e.Replace(k.File); err != nil {
		t.Fatal(err)
	}
	if _, err := kmskey.Open(t.Context(), k); err == nil || !strings.Contains(err.Error(), "kms:Decrypt: InvalidCiphertextException") {
		t.Errorf("got %v", err)
	}
	e.Issuer, k.Issuer = "https://other.example.com", "https://other.example.com"
	if err := e.Replace(k.File); err != nil {
		t.Fatal(err)
	}
	service.lie = true
	if _, err := kmskey.Open(t.Context(), k); err == nil || !strings.Contains(err.Error(), "the file was changed") {
		t.Errorf("another key came: %v", err)
	}
}

func TestDamagedFiles(t *testing.T) {
	startKMS(t)
	k := kmskey.Key{File: filepath.Join(t.TempDir(), "seal.key"), KMS: arnA, Issuer: issuer}
	if _, err := kmskey.Open(t.Context(), k); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "make it once with: countersign issuer key-file") {
		t.Errorf("no file: %v", err)
	}
	put(t, k, kmskey.Made)
	good := string(read(t, k.File))
	if strings.Contains(good, base64.StdEncoding.EncodeToString([]byte("0123456789abcdefghijklmnopqrstuv"))) {
		t.Error("the key itself is in the file")
	}
	for name, text := range map[string]string{
		"empty": "", "cut": good[:40], "twice": good + good, "huge": strings.Repeat(" ", 1<<20), "another": `{"version":"x"}`,
		"a member more": strings.Replace(good, "{", `{"a":1,`, 1), "no ciphertext": `{"version":"countersign-kms-key-1","issuer":"a","kmsKey":"b","keyId":"c"}`,
	} {
		if err := os.WriteFile(k.File, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := kmskey.Open(t.Context(), k); err == nil || !strings.Contains(err.Error(), k.File) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIsKey(t *testing.T) {
	for text, want := range map[string]bool{
		arnA: true, "alias/issuer": true, "11111111-1111-1111-1111-111111111111": true, "mrk-0123456789abcdef0123456789abcdef": true,
		"arn:aws-cn:kms:cn-north-1:123456789012:alias/issuer": true, "": false, "seal.key": false, "issuer": false, "alias/": false,
		"arn:aws:s3:::bucket": false, "--help": false, arnA + "\n": false,
	} {
		if kmskey.IsKey(text) != want {
			t.Errorf("%q: got %v", text, !want)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
