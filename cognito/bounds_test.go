package cognito_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// endless is a body of a size that is only said; it counts what is taken of it.
type endless struct{ taken, left atomic.Int64 }

func (e *endless) Read(b []byte) (int, error) {
	n := min(int64(len(b)), e.left.Load())
	if n == 0 {
		return 0, io.EOF
	}
	for i := range b[:n] {
		b[i] = 'a'
	}
	e.left.Add(-n)
	e.taken.Add(n)
	return int(n), nil
}

// TestHugeBodies: a body of a gigabyte is refused when its first part has come, at every door, whether its size is
// announced or not.
func TestHugeBodies(t *testing.T) {
	f := newFixture(t)
	server := httptest.NewServer(cognito.Handler(f.service, cognito.HandlerConfig{}))
	t.Cleanup(server.Close)
	const gigabyte = 1 << 30
	for _, c := range []struct {
		name, path, contentType string
		length                  int64
	}{
		{"token endpoint", "/" + f.pool + "/oauth2/token", "application/x-www-form-urlencoded", gigabyte},
		{"token endpoint, chunked", "/" + f.pool + "/oauth2/token", "application/x-www-form-urlencoded", -1},
		{"revocation endpoint", "/" + f.pool + "/oauth2/revoke", "application/x-www-form-urlencoded", gigabyte},
		{"JSON API", "/", "application/x-amz-json-1.1", gigabyte},
		{"JSON API, chunked", "/", "application/x-amz-json-1.1", -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := &endless{}
			body.left.Store(gigabyte)
			r, err := http.NewRequest(http.MethodPost, server.URL+c.path, body)
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = c.length
			r.Header.Set("Content-Type", c.contentType)
			r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.CreateUserPool")
			res, err := server.Client().Do(r)
			// The connection is closed on a caller that goes on sending, who may then not see the answer.
			if err == nil {
				res.Body.Close()
				if res.StatusCode != http.StatusRequestEntityTooLarge {
					t.Errorf("status %d", res.StatusCode)
				}
			}
			if taken := body.taken.Load(); taken > 32<<20 {
				t.Errorf("%d MiB were taken", taken>>20)
			}
		})
	}
}
