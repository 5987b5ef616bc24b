package aws

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// moto asks moto itself, past the program and the proxy.
type moto struct {
	t   *testing.T
	url *url.URL
}

func (m moto) reset() {
	m.t.Helper()
	m.post(m.url.JoinPath("/moto-api/reset").String(), "", "")
}

// call makes a call of one of AWS's JSON protocols; moto wants an Authorization header to read the region and the service from.
func (m moto) call(service, target, body string) map[string]any {
	m.t.Helper()
	data := m.post(m.url.String()+"/", target, body, "Authorization",
		"AWS4-HMAC-SHA256 Credential=testing/20260101/ap-southeast-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		m.t.Fatalf("%s: %v in %s", target, err, data)
	}
	return out
}

func (m moto) cognito(operation, body string) map[string]any {
	m.t.Helper()
	return m.call("cognito-idp", "AWSCognitoIdentityProviderService."+operation, body)
}

func (m moto) secrets(operation, body string) map[string]any {
	m.t.Helper()
	return m.call("secretsmanager", "secretsmanager."+operation, body)
}

func (m moto) post(address, target, body string, header ...string) []byte {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, address, bytes.NewReader([]byte(body)))
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	if target != "" {
		req.Header.Set("X-Amz-Target", target)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil || res.StatusCode != http.StatusOK {
		m.t.Fatalf("%s %s: %s %v\n%s", address, target, res.Status, err, data)
	}
	return data
}

// quoted is a JSON string.
func quoted(text string) string {
	data, _ := json.Marshal(text) // a string always encodes
	return string(data)
}

// credential is the current value of a secret. The stage is named: without it moto answers with the version that was put last
// as current, and not with the one that AWSCURRENT was moved to.
func (m moto) credential(name string) map[string]any {
	m.t.Helper()
	out := m.secrets("GetSecretValue", `{"VersionStage":"AWSCURRENT","SecretId":`+quoted(name)+`}`)
	var c map[string]any
	text, _ := out["SecretString"].(string)
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		m.t.Fatalf("the secret %s is no JSON object", name)
	}
	return c
}

// list returns the named members of the objects of a list.
func list(out map[string]any, key string) []map[string]any {
	all, _ := out[key].([]any)
	var objects []map[string]any
	for _, item := range all {
		if object, ok := item.(map[string]any); ok {
			objects = append(objects, object)
		}
	}
	return objects
}

func text(object map[string]any, key string) string {
	s, _ := object[key].(string)
	return s
}

func contains(t *testing.T, out, part string) {
	t.Helper()
	if !strings.Contains(out, part) {
		t.Errorf("%q is not in\n%s", part, out)
	}
}
