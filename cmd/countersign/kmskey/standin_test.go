package kmskey_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
)

const (
	arnA = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
	arnB = "arn:aws:kms:eu-west-1:123456789012:key/22222222-2222-2222-2222-222222222222"
)

// standIn plays AWS KMS: what it encrypts is in clear, with its key and its context.
type standIn struct {
	mu     sync.Mutex
	calls  []string
	refuse map[string]string // code of the answer to an operation
	lie    bool              // answer Decrypt with another key
}

type kmsCall struct {
	KeyId             string
	Plaintext         []byte
	CiphertextBlob    []byte
	EncryptionContext map[string]string
	KeySpec           string
}

// startKMS puts the stand-in where the environment points.
func startKMS(t *testing.T) *standIn {
	t.Helper()
	s := &standIn{refuse: map[string]string{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret-of-the-key", "AWS_SESSION_TOKEN": "",
		"AWS_PROFILE": "", "AWS_REGION": "eu-west-1", "AWS_MAX_ATTEMPTS": "1", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	return s
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "TrentService.")
	s.calls = append(s.calls, operation)
	var in kmsCall
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	code, out := s.refuse[operation], kmsCall{}
	if code == "" {
		code, out = s.answer(operation, in)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if code != "" || err != nil {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"__type":"`+code+`","message":"no"}`)
		return
	}
	json.NewEncoder(w).Encode(out)
}

func (s *standIn) answer(operation string, in kmsCall) (code string, out kmsCall) {
	key := in.KeyId
	if key == "alias/issuer" {
		key = arnA
	}
	if key != arnA && key != arnB {
		return "NotFoundException", out
	}
	switch operation {
	case "GenerateDataKey":
		in.Plaintext = []byte("0123456789abcdefghijklmnopqrstuv")
		fallthrough
	case "Encrypt":
		blob, _ := json.Marshal(kmsCall{KeyId: key, Plaintext: in.Plaintext, EncryptionContext: in.EncryptionContext}) // it always encodes
		return "", kmsCall{KeyId: key, Plaintext: in.Plaintext, CiphertextBlob: blob}
	}
	var blob kmsCall
	switch err := json.Unmarshal(in.CiphertextBlob, &blob); {
	case err != nil || !maps.Equal(blob.EncryptionContext, in.EncryptionContext):
		return "InvalidCiphertextException", out
	case blob.KeyId != key:
		return "IncorrectKeyException", out
	case s.lie:
		blob.Plaintext[0]++
	}
	return "", kmsCall{KeyId: key, Plaintext: blob.Plaintext}
}

// taken are the calls since the last time.
func (s *standIn) taken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := strings.Join(s.calls, " ")
	s.calls = nil
	return calls
}
