package countersign

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipeClient is an http.Client with net/http's own transport whose connections are pipes in memory. serve answers
// one request, written in octets.
func pipeClient(t *testing.T, serve func(r *http.Request, conn net.Conn)) *http.Client {
	t.Helper()
	var wg sync.WaitGroup
	transport := newFetcher(nil).client.Transport.(*http.Transport)
	transport.DisableKeepAlives = true
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		wg.Go(func() {
			defer far.Close()
			if r, err := http.ReadRequest(bufio.NewReader(far)); err == nil {
				serve(r, far)
			}
		})
		return near, nil
	}
	t.Cleanup(func() { wg.Wait() })
	return &http.Client{Transport: transport}
}

func TestFetchOverRealHTTP(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, tt := range []struct {
		name   string
		answer string // written as it is
		drip   string // written again and again after it, each second
		want   string // in the error; "" for a good answer
	}{
		{"good", ok + "Content-Length: 2\r\n\r\n{}", "", ""},
		{"redirect within the origin", "HTTP/1.1 307 Temporary Redirect\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", "", "redirects"},
		{"redirect to another host", "HTTP/1.1 302 Found\r\nLocation: http://evil.test/\r\nContent-Length: 0\r\n\r\n", "", "another origin refused"},
		{"redirect to another port", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:81/\r\nContent-Length: 0\r\n\r\n", "", "another origin refused"},
		{"location that is no URL", "HTTP/1.1 302 Found\r\nLocation: http://%zz-SECRET\r\nContent-Length: 0\r\n\r\n", "", "Location header"},
		{"not HTTP", "SECRET-ANSWER of another protocol\r\n\r\n", "", "not HTTP"},
		{"status that is none", "HTTP/1.1 SECRET\r\n\r\n", "", "not HTTP"},
		{"header line without a name", ok + "SECRET\r\n\r\n", "", "not HTTP"},
		{"header of 1 MB", ok + "X: " + strings.Repeat("SECRET", 1<<20/6) + "\r\n\r\n{}", "", "header of the answer is too long"},
		{"a part of the answer", "HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\n{}", "", "answered 206"},
		{"short body", ok + "Content-Length: 10\r\n\r\nSECRET", "", "unexpected EOF"},
		{"nothing", "", "", "EOF"},
		{"drips a header", ok, "X: y\r\n", "no whole answer in time"},
		{"drips a body", ok + "Content-Length: 1000\r\n\r\n", " ", "no whole answer in time"},
		{"body beyond the bound, without a length", ok + "\r\n" + strings.Repeat(" ", maxFetchBody+1), "", "longer than 1048576 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				f := newFetcher(pipeClient(t, func(_ *http.Request, conn net.Conn) {
					_, err := io.WriteString(conn, tt.answer)
					for err == nil && tt.drip != "" {
						time.Sleep(time.Second)
						_, err = io.WriteString(conn, tt.drip)
					}
				}))
				start := time.Now()
				_, err := f.get(t.Context(), "http://127.0.0.1/jwks.json")
				if took := time.Since(start); took > fetchTimeout {
					t.Errorf("took %v", took)
				}
				if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want %q", err, tt.want)
				}
				if err != nil && (strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "evil.test")) {
					t.Errorf("error repeats the answer: %v", err)
				}
			})
		})
	}
}

func TestFetchFollowsARedirectWithinTheOrigin(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFetcher(pipeClient(t, func(r *http.Request, conn net.Conn) {
			if r.URL.Path == "/old" {
				io.WriteString(conn, "HTTP/1.1 301 Moved\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n")
				return
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nCache-Control: max-age=7\r\nContent-Length: 3\r\n\r\nnew")
		}))
		got, err := f.get(t.Context(), "http://127.0.0.1/old")
		if err != nil || string(got.body) != "new" || got.maxAge != 7*time.Second {
			t.Errorf("got %q, max-age %v, %v", got.body, got.maxAge, err)
		}
	})
}

func TestFetchGoesNoFurtherThanItsRedirects(t *testing.T) {
	for _, tt := range []struct {
		location string
		asked    int
	}{
		{"https://issuer.test/next", 1 + maxFetchRedirect},
		{"http://issuer.test/", 1},
		{"https://issuer.test:8443/", 1},
		{"https://evil.test/", 1},
		{"//evil.test/", 1},
	} {
		asked := 0
		f := newFetcher(&http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if asked++; r.URL.Scheme != "https" || r.URL.Host != "issuer.test" {
				return answerText(200, "another origin's keys")(r)
			}
			return answerText(302, "", "Location", tt.location)(r)
		})})
		if got, err := f.get(t.Context(), "https://issuer.test/start"); err == nil || asked != tt.asked {
			t.Errorf("redirect to %s: asked %d times, want %d; got %q, %v", tt.location, asked, tt.asked, got.body, err)
		}
	}
}

func TestFetchSendsNoCookieAndAsksForJSON(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		client := pipeClient(t, func(r *http.Request, conn net.Conn) {
			if r.Header.Get("Cookie") != "" || !strings.HasPrefix(r.Header.Get("Accept"), "application/json") {
				t.Errorf("request header %v", r.Header)
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
		})
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		client.Jar = jar
		f := newFetcher(client)
		for range 2 {
			if _, err := f.get(t.Context(), "http://127.0.0.1/jwks.json"); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestFetchErrorsThatAreNotOfTheAnswerKeepTheirCause(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{refused, "dial tcp: connection refused"},
		{&net.DNSError{Err: "no such host", Name: "issuer.test"}, "lookup issuer.test: no such host"},
		{errors.New("proxyconnect tcp: Forbidden"), "proxyconnect tcp: Forbidden"},
		{errors.New(`unsupported thing: "SECRET"`), "unsupported thing"},
	} {
		if got := fetchCause(tt.err).Error(); got != tt.want {
			t.Errorf("%v became %q, want %q", tt.err, got, tt.want)
		}
	}
}

// The whole key set over net/http's transport: what is left when it is closed would fail the bubble.
func TestKeysetOverRealHTTPLeavesNothingBehind(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		client := pipeClient(t, func(r *http.Request, conn net.Conn) {
			response, err := issuer.RoundTrip(r)
			if err != nil {
				t.Error(err)
				return
			}
			response.Write(conn)
		})
		k := startKeys(t, issuer, func(cfg *keySourceConfig) {
			cfg.client, cfg.keysURL = client, "http://localhost/pool/.well-known/jwks.json"
		})
		k.want(t, "a", nil)
		time.Sleep(time.Hour)
		synctest.Wait()
		k.Close()
		if f := issuer.fetches(); f < 12 {
			t.Errorf("%d fetches in an hour", f)
		}
	})
}
