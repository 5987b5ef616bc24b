package clientcredentials_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// logBuffer is a log that may be written while it is read.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// random is a string of visible characters, long enough not to appear by accident.
func random(rng *rand.Rand, alphabet string) string {
	b := make([]byte, 24)
	for n := range b {
		b[n] = alphabet[rng.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	visible = letters + `!"#$%&'()*+,-./:;<=>?@[\]^_{|}~ `
)

// echo is an issuer that answers in one of many bad ways with everything that it was sent, and with a token.
func echo(n int, token string) func(int, request) *http.Response {
	return func(_ int, req request) *http.Response {
		sent := fmt.Sprintf("%s %v %s %s", req.body, req.header, req.secret, token)
		inJSON, _ := json.Marshal(sent)
		ways := []*http.Response{
			answer(400, "application/json", `{"error":`+string(inJSON)+`}`),
			answer(400, "application/json", `{"error":"invalid_client","error_description":`+string(inJSON)+`}`),
			answer(401, "text/plain", sent, "WWW-Authenticate", sent),
			answer(500, "text/plain", sent),
			answer(429, "application/json", sent, "Retry-After", sent),
			answer(307, "", sent, "Location", "https://evil.example/?"+url.QueryEscape(sent)),
			answer(200, sent, sent),
			answer(200, "application/json", sent),
			answer(200, "application/json", `{"access_token":"`+token+`","token_type":`+string(inJSON)+`}`),
			answer(200, "application/json", `{"access_token":"`+token+`","token_type":"Bearer","expires_in":`+string(inJSON)+`}`),
			answer(200, "application/json", `{"access_token":"`+token+`","token_type":"Bearer","scope":`+string(inJSON)+`}`),
			answer(200, "application/json", `{"access_token":"`+token+` ","token_type":"Bearer"}`),
			answer(200, "application/x-amz-json-1.1", `{"__type":`+string(inJSON)+`}`),
			answer(400, "application/x-amz-json-1.1", `{"__type":"NotAuthorizedException","message":`+string(inJSON)+`}`),
			granted(token, 600),
		}
		res := ways[n%len(ways)]
		res.Status = sent
		return res
	}
}

// talker is a transport whose errors tell all of the request.
func talker(req *http.Request) (*http.Response, error) {
	sent, _ := io.ReadAll(req.Body)
	id, secret, _ := req.BasicAuth()
	return nil, fmt.Errorf("cannot send %s with %v for %s:%s", sent, req.Header, id, secret)
}

// TestNothingTellsASecret is a property over everything that a Source puts out: no error, log line, count or
// printed value has the client's secret or the token, whatever the issuer does.
func TestNothingTellsASecret(t *testing.T) {
	for seed := range 600 {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(seed), 1))
			first, second, accessToken := random(rng, visible), random(rng, letters), random(rng, letters)
			doors := []clientcredentials.Door{"", clientcredentials.ClientSecretPost, clientcredentials.GetClientToken}
			i, out := &issuer{answer: echo(seed, accessToken)}, &logBuffer{}
			var base http.RoundTripper = i
			if seed%16 == 15 {
				base = roundTripper(talker)
			}
			cfg := clientcredentials.Config{
				TokenEndpoint: endpoint, Door: doors[rng.IntN(len(doors))], Logger: out.logger(), Scopes: []string{"a"},
				Credentials: clientcredentials.Static("reader", first, second), HTTPClient: &http.Client{Transport: base},
			}
			s, err := clientcredentials.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			for range 20 {
				got, err := s.Token(t.Context())
				for e := err; e != nil; e = errors.Unwrap(e) {
					fmt.Fprintf(out, "%v %+v %#v %q\n", e, e, e, e)
					slog.New(slog.NewJSONHandler(out, nil)).Error("failed", "error", e)
				}
				inJSON, _ := json.Marshal(got)
				fmt.Fprintf(out, "%v %+v %#v %s %d %x %s\n", got, got, got, got, got, got, inJSON)
				if got != nil {
					fmt.Fprintf(out, "%v %+v %#v %s", struct{ T clientcredentials.Token }{*got}, *got, *got, got.LogValue())
				}
				out.logger().Info("got", "token", got, "stats", s.Stats())
				time.Sleep(time.Duration(rng.IntN(300)) * time.Second)
			}
			list, _ := cfg.Credentials.Load(t.Context())
			inJSON, _ := json.Marshal(list)
			fmt.Fprintf(out, "%v %+v %#v %d %x %s %v %+v %#v\n", list, list, list, list, list, inJSON, cfg, cfg, cfg)
			out.logger().Info("configured", "credentials", list[0], "all", cfg.Credentials)
			_ = s.Close()
			fmt.Fprintf(out, "%v %+v %#v %v\n", s, s, s, s.Stats())
			told := out.String()
			for _, secret := range []string{first, second, accessToken} {
				inJSON, _ := json.Marshal(secret)
				for _, form := range []string{
					secret, url.QueryEscape(secret), strings.Trim(string(inJSON), `"`), fmt.Sprintf("%x", secret),
					base64.StdEncoding.EncodeToString([]byte("reader:" + url.QueryEscape(secret))),
				} {
					if at := strings.Index(told, form); at >= 0 {
						t.Fatalf("seed %d: %q is told: …%s…", seed, form, told[max(0, at-200):min(len(told), at+100)])
					}
				}
			}
		})
	}
}

// TestAnAnswerThatIsNoHTTP: net/http quotes such an answer in its error.
func TestAnAnswerThatIsNoHTTP(t *testing.T) {
	for _, text := range []string{
		"hidden-words",
		"hidden-words HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 hidden-words OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nhidden-words\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: hidden-words\r\n\r\n",
		"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://%zz/hidden-words\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: hidden-words\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nhidden-words\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			i := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				client, server := net.Pipe()
				go func() {
					defer server.Close()
					_, _ = server.Read(make([]byte, 4096))
					_, _ = io.WriteString(server, text+"\r\n\r\n")
				}()
				return client, nil
			}}
			s := (&issuer{}).source(t, func(cfg *clientcredentials.Config) {
				cfg.TokenEndpoint, cfg.HTTPClient = "http://localhost/token", &http.Client{Transport: i}
			})
			_, err := s.Token(t.Context())
			if err == nil || strings.Contains(err.Error(), "hidden-words") {
				t.Errorf("%q: got %v", text, err)
			}
			_ = s.Close()
			i.CloseIdleConnections()
		})
	}
}
