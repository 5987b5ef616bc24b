package issuer_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cognito"
)

var (
	reader = issuer.Credentials{AccessKeyID: "AKIAREADER", SecretAccessKey: "reader-secret"}
	writer = issuer.Credentials{AccessKeyID: "AKIAWRITER", SecretAccessKey: "writer-secret"}
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

const (
	body   = `{"MaxResults":1}`
	target = "AWSCognitoIdentityProviderService.ListUserPools"
)

func newSigV4(t testing.TB, now time.Time, regions ...string) *issuer.SigV4 {
	t.Helper()
	s, err := issuer.NewSigV4(issuer.SigV4Config{
		Credentials: []issuer.Credentials{reader, writer},
		Regions:     regions,
		Now:         func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// signing says how a request is signed; the zero value of a field is what a client does right.
type signing struct {
	as              issuer.Credentials
	region, service string
	at              time.Time
	token           string
	header          http.Header // more headers to sign
}

func signed(t testing.TB, s signing) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://localhost:8081/", strings.NewReader(body))
	r.URL.Host, r.URL.Scheme = "", "" // as a server sees it
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	for name, values := range s.header {
		r.Header[name] = values
	}
	if s.as.AccessKeyID == "" {
		s.as = reader
	}
	if s.region == "" {
		s.region = "ap-southeast-1"
	}
	if s.service == "" {
		s.service = "cognito-idp"
	}
	if s.at.IsZero() {
		s.at = noon
	}
	hash := sha256.Sum256([]byte(body))
	key := aws.Credentials{AccessKeyID: s.as.AccessKeyID, SecretAccessKey: s.as.SecretAccessKey.Reveal(), SessionToken: s.token}
	if err := v4.NewSigner().SignHTTP(context.Background(), key, r, hex.EncodeToString(hash[:]), s.service, s.region, s.at); err != nil {
		t.Fatal(err)
	}
	return r
}

func wantCode(t *testing.T, err error, code, text string) {
	t.Helper()
	var e *cognito.APIError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an APIError %s", err, code)
	}
	if e.Code != code || e.Status != http.StatusBadRequest || !strings.Contains(e.Message, text) {
		t.Errorf("got %s, status %d, %q; want %s, 400, %q", e.Code, e.Status, e.Message, code, text)
	}
}

func TestSigV4Accepts(t *testing.T) {
	tests := []struct {
		name    string
		signing signing
		now     time.Time
		change  func(*http.Request)
	}{
		{"a request as it should be", signing{}, noon, nil},
		{"the second key", signing{as: writer}, noon, nil},
		{"another region, where any is allowed", signing{region: "eu-central-1"}, noon, nil},
		{"15 minutes old", signing{}, noon.Add(15 * time.Minute), nil},
		{"a clock that is 15 minutes ahead", signing{}, noon.Add(-15 * time.Minute), nil},
		{"a header that nobody signed", signing{}, noon, func(r *http.Request) { r.Header.Set("Via", "1.1 proxy") }},
		{"two values of a signed header", signing{header: http.Header{"X-Two": {"a", " b  c "}}}, noon, nil},
		{"no space after the commas", signing{}, noon, func(r *http.Request) {
			r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), ", ", ","))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := signed(t, tt.signing)
			if tt.change != nil {
				tt.change(r)
			}
			header := r.Header.Clone()
			if err := newSigV4(t, tt.now).Authenticate(r, []byte(body)); err != nil {
				t.Error(err)
			}
			if got, want := len(r.Header), len(header); got != want || r.URL.RawQuery != "" {
				t.Error("Authenticate changed the request")
			}
		})
	}
}

func TestSigV4Refuses(t *testing.T) {
	const (
		missing      = "MissingAuthenticationTokenException"
		incomplete   = "IncompleteSignatureException"
		invalid      = "InvalidSignatureException"
		unrecognized = "UnrecognizedClientException"
		noMatch      = "The request signature we calculated does not match the signature you provided."
	)
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	replace := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	unsign := func(name string) func(*http.Request) { return replace(";"+name, "") }
	tests := []struct {
		name    string
		signing signing
		change  func(*http.Request)
		code    string
		text    string
	}{
		{"no Authorization", signing{}, func(r *http.Request) { r.Header.Del("Authorization") }, missing, "Missing Authentication Token"},
		{"a bearer token", signing{}, set("Authorization", "Bearer eyJhbGciOi"), incomplete, "requires the algorithm 'AWS4-HMAC-SHA256'"},
		{"an empty Authorization", signing{}, set("Authorization", ""), incomplete, "requires the algorithm"},
		{"two Authorization headers", signing{}, func(r *http.Request) {
			r.Header.Add("Authorization", r.Header.Get("Authorization"))
		}, incomplete, "more than one Authorization header"},
		{"a presigned request", signing{}, func(r *http.Request) { r.URL.RawQuery = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00" },
			incomplete, "A signature in the query"},
		{"an overlong Authorization", signing{}, replace("Signature=", "Signature="+strings.Repeat("0", 5000)), incomplete, "too long"},
		{"SigV4A", signing{}, replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), incomplete, "requires the algorithm"},
		{"no Credential", signing{}, replace("Credential=", "Crednetial="), incomplete, "each once and nothing else"},
		{"no Signature", signing{}, func(r *http.Request) {
			h, _, _ := strings.Cut(r.Header.Get("Authorization"), ", Signature")
			r.Header.Set("Authorization", h)
		}, incomplete, "requires 'Signature' parameter"},
		{"a space in the Credential", signing{}, replace("Credential=", "Credential= , "), incomplete, "(missing equal-sign)"},
		{"a scope of four parts", signing{}, replace("/aws4_request", ""), incomplete, "exactly 5 slash-delimited elements"},
		{"a scope with another end", signing{}, replace("/aws4_request", "/aws5_request"), invalid, "a valid terminator: 'aws4_request', not 'aws5_request'"},
		{"a short signature", signing{}, replace("Signature=", "Signature=00"), incomplete, "64 lower-case hexadecimal digits"},
		{"unsorted SignedHeaders", signing{}, replace("content-length;content-type", "content-type;content-length"), incomplete, "sorted"},
		{"SignedHeaders in capitals", signing{}, replace(";host", ";Host"), incomplete, "lower-case"},

		{"no X-Amz-Date", signing{}, func(r *http.Request) { r.Header.Del("X-Amz-Date") }, incomplete, "'X-Amz-Date' header"},
		{"two of X-Amz-Date", signing{}, func(r *http.Request) { r.Header.Add("X-Amz-Date", "20260301T120000Z") }, incomplete, "one 'X-Amz-Date'"},
		{"another form of date", signing{}, set("X-Amz-Date", "2026-03-01T12:00:00Z"), incomplete, "'basic format'. Got \"2026-03-01T12:00:00Z\""},
		{"another day in the scope", signing{}, replace("/20260301/", "/20260302/"), invalid, "'20260302' != '20260301', from '20260301T120000Z'."},
		{"too old", signing{at: noon.Add(-15*time.Minute - time.Second)}, nil, invalid,
			"Signature expired: 20260301T114459Z is now earlier than 20260301T114500Z (20260301T120000Z - 15 min.)"},
		{"too new", signing{at: noon.Add(15*time.Minute + time.Second)}, nil, invalid,
			"Signature not yet current: 20260301T121501Z is still later than 20260301T121500Z (20260301T120000Z + 15 min.)"},
		{"a later X-Amz-Date on an old signature", signing{at: noon.Add(-time.Hour)}, set("X-Amz-Date", "20260301T120000Z"), invalid, noMatch},

		{"an unknown key", signing{as: issuer.Credentials{AccessKeyID: "AKIAUNKNOWN", SecretAccessKey: "x"}}, nil, unrecognized,
			"The security token included in the request is invalid."},
		{"a session token", signing{token: "session"}, nil, unrecognized, "The security token"},
		{"another secret", signing{as: issuer.Credentials{AccessKeyID: "AKIAREADER", SecretAccessKey: "writer-secret"}}, nil, invalid, noMatch},
		{"another known key's id", signing{}, replace("AKIAREADER", "AKIAWRITER"), invalid, noMatch},
		{"another region", signing{region: "us-east-1"}, nil, invalid, "scoped to a valid region, not 'us-east-1'"},
		{"another service", signing{service: "iam"}, nil, invalid, "scoped to correct service: 'cognito-idp'"},

		{"host is not signed", signing{}, unsign("host"), invalid, "'Host' must be a 'SignedHeader'"},
		{"x-amz-date is not signed", signing{}, unsign("x-amz-date"), invalid, "'X-Amz-Date' must be a 'SignedHeader'"},
		{"x-amz-target is not signed", signing{}, unsign("x-amz-target"), invalid, "'X-Amz-Target' must be a 'SignedHeader'"},
		{"user-agent is signed", signing{}, replace("host;", "host;user-agent;"), invalid, "'user-agent' cannot be a 'SignedHeader' here"},
		{"a signed header did not arrive", signing{header: http.Header{"X-One": {"1"}}}, func(r *http.Request) { r.Header.Del("X-One") }, invalid, noMatch},
		{"a header is said to be signed", signing{}, replace("host;", "host;x-absent;"), invalid, noMatch},

		{"another operation", signing{}, set("X-Amz-Target", "AWSCognitoIdentityProviderService.DeleteUserPool"), invalid, noMatch},
		{"a second operation", signing{}, func(r *http.Request) { r.Header.Add("X-Amz-Target", target) }, invalid, noMatch},
		{"another content type", signing{}, set("Content-Type", "text/plain"), invalid, noMatch},
		{"another host", signing{}, func(r *http.Request) { r.Host = "other:8081" }, invalid, noMatch},
		{"another method", signing{}, func(r *http.Request) { r.Method = http.MethodPut }, invalid, noMatch},
		{"another path", signing{}, func(r *http.Request) { r.URL.Path = "/other" }, invalid, noMatch},
		{"a query", signing{}, func(r *http.Request) { r.URL.RawQuery = "a=b" }, invalid, noMatch},
		{"the signature's last digit", signing{}, func(r *http.Request) {
			h := []byte(r.Header.Get("Authorization"))
			if last := &h[len(h)-1]; *last == '0' {
				*last = '1'
			} else {
				*last = '0'
			}
			r.Header.Set("Authorization", string(h))
		}, invalid, noMatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := signed(t, tt.signing)
			if tt.change != nil {
				tt.change(r)
			}
			err := newSigV4(t, noon, "ap-southeast-1").Authenticate(r, []byte(body))
			wantCode(t, err, tt.code, tt.text)
		})
	}
}

func TestSigV4RefusesAnotherBody(t *testing.T) {
	for _, other := range []string{"", `{"MaxResults":2}`, body + " "} {
		for _, claim := range []string{"", "UNSIGNED-PAYLOAD"} {
			s := signing{}
			if claim != "" {
				s.header = http.Header{"X-Amz-Content-Sha256": {claim}}
			}
			err := newSigV4(t, noon).Authenticate(signed(t, s), []byte(other))
			wantCode(t, err, "InvalidSignatureException", "does not match")
		}
	}
}

// TestSigV4Vector is "post-vanilla" of AWS' Signature Version 4 test suite: proof that signer and verifier are not wrong together.
func TestSigV4Vector(t *testing.T) {
	s, err := issuer.NewSigV4(issuer.SigV4Config{
		Credentials: []issuer.Credentials{{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}},
		Regions:     []string{"us-east-1"},
		Service:     "service",
		Now:         func() time.Time { return time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Host = "example.amazonaws.com"
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "+
		"SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")
	if err := s.Authenticate(r, nil); err != nil {
		t.Error(err)
	}
}

// TestSigV4SDK: AWS' own client against the verifier, over HTTP.
func TestSigV4SDK(t *testing.T) {
	verifier := newSigV4(t, time.Now())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
		if err == nil {
			err = verifier.Authenticate(r, content)
		}
		var e *cognito.APIError
		if errors.As(err, &e) {
			w.WriteHeader(e.Status)
			_, _ = io.WriteString(w, `{"__type":"`+e.Code+`"}`)
			return
		}
		_, _ = io.WriteString(w, `{"UserPools":[]}`)
	}))
	defer server.Close()
	call := func(c issuer.Credentials) error {
		client := cognitoidentityprovider.New(cognitoidentityprovider.Options{
			BaseEndpoint:     aws.String(server.URL),
			Region:           "eu-west-1",
			RetryMaxAttempts: 1,
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal()}, nil
			}),
		})
		_, err := client.ListUserPools(t.Context(), &cognitoidentityprovider.ListUserPoolsInput{MaxResults: aws.Int32(1)})
		return err
	}
	if err := call(writer); err != nil {
		t.Error(err)
	}
	wrong := writer
	wrong.SecretAccessKey += "x"
	var e smithy.APIError
	if err := call(wrong); !errors.As(err, &e) || e.ErrorCode() != "InvalidSignatureException" {
		t.Errorf("with a wrong secret: %v", err)
	}
}

func TestNewSigV4ReportsEveryProblem(t *testing.T) {
	_, err := issuer.NewSigV4(issuer.SigV4Config{Credentials: []issuer.Credentials{
		{AccessKeyID: "", SecretAccessKey: "x"}, {AccessKeyID: "AKIA1"}, reader, reader,
	}})
	for _, want := range []string{"Credentials[0]", "Credentials[1]", `Credentials[3]: access key id "AKIAREADER" comes twice`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	if _, err := issuer.NewSigV4(issuer.SigV4Config{}); err == nil || !strings.Contains(err.Error(), "SigV4Config.Credentials is empty") {
		t.Errorf("no credentials: %v", err)
	}
}
