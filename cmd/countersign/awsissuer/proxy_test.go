package awsissuer_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/awsissuer"
)

const region = "ap-southeast-1"

// start serves a proxy in front of an issuer that says what it was asked for.
func start(t *testing.T) (proxyURL string, authority *awsissuer.Authority) {
	t.Helper()
	authority, err := awsissuer.NewAuthority(region)
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := awsissuer.New(awsissuer.Config{
		Region: region, Authority: authority,
		Issuer: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s%s", r.Method, r.Host, r.URL.Path) }),
		Pool:   func(prefix string) (string, bool) { return region + "_a", prefix == "demo" },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(proxy.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "outside") })))
	t.Cleanup(func() {
		server.Close()
		if err := proxy.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return server.URL, authority
}

// client is one that uses the proxy and trusts the authority, as programs do that know nothing of either.
func client(t *testing.T, proxyURL string, authority *awsissuer.Authority) *http.Client {
	t.Helper()
	proxy, err := url.Parse(proxyURL)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority.PEM()) {
		t.Fatal("no certificate")
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func TestHosts(t *testing.T) {
	proxyURL, authority := start(t)
	c := client(t, proxyURL, authority)
	for url, want := range map[string]string{
		"https://cognito-idp.ap-southeast-1.amazonaws.com/ap-southeast-1_a/.well-known/jwks.json":   "GET cognito-idp.ap-southeast-1.amazonaws.com/ap-southeast-1_a/.well-known/jwks.json",
		"https://issuer-cognito-idp.ap-southeast-1.amazonaws.com/x":                                 "GET issuer-cognito-idp.ap-southeast-1.amazonaws.com/x",
		"https://demo.auth.ap-southeast-1.amazoncognito.com/oauth2/token":                           "GET demo.auth.ap-southeast-1.amazoncognito.com/ap-southeast-1_a/oauth2/token",
		"https://demo.auth.ap-southeast-1.amazoncognito.com/oauth2/revoke":                          "GET demo.auth.ap-southeast-1.amazoncognito.com/ap-southeast-1_a/oauth2/revoke",
		"https://demo.auth.ap-southeast-1.amazoncognito.com/ap-southeast-1_a/.well-known/jwks.json": "countersign: there is nothing at this address\n",
	} {
		res, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if string(body) != want {
			t.Errorf("%s: %q", url, body)
		}
	}
}

// TestNoOpenProxy: whatever is not exactly one of the hosts is refused, before anything is dialled.
func TestNoOpenProxy(t *testing.T) {
	proxyURL, _ := start(t)
	for _, target := range []string{
		"example.com:443", "localhost:443", "127.0.0.1:22", "169.254.169.254:80", "[::1]:443",
		"cognito-idp.ap-southeast-1.amazonaws.com:80", "cognito-idp.ap-southeast-1.amazonaws.com:8443",
		"cognito-idp.eu-west-1.amazonaws.com:443", "cognito-idp.ap-southeast-1.amazonaws.com.evil.example:443", "xcognito-idp.ap-southeast-1.amazonaws.com:443",
		"other.auth.ap-southeast-1.amazoncognito.com:443", "auth.ap-southeast-1.amazoncognito.com:443", "a.demo.auth.ap-southeast-1.amazoncognito.com:443",
		"sts.ap-southeast-1.amazonaws.com:443", "cognito-idp.ap-southeast-1.amazonaws.com.:443",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(proxyURL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %v %v", target, res, err)
		}
		conn.Close()
	}
}

// TestMisdirected: a tunnel to one host is not a way to ask as another.
func TestMisdirected(t *testing.T) {
	proxyURL, authority := start(t)
	r, err := http.NewRequest("GET", "https://cognito-idp.ap-southeast-1.amazonaws.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "example.com"
	res, err := client(t, proxyURL, authority).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("status %d", res.StatusCode)
	}
}

// TestOthersPass: what is no CONNECT goes to the handler behind.
func TestOthersPass(t *testing.T) {
	proxyURL, _ := start(t)
	res, err := http.Get(proxyURL + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "outside" {
		t.Errorf("%q", body)
	}
}

// TestAuthorityIsConstrained: the root permits Cognito's hosts of the region, and no other name or address.
func TestAuthorityIsConstrained(t *testing.T) {
	proxyURL, authority := start(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	conn, err := net.Dial("tcp", strings.TrimPrefix(proxyURL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "CONNECT cognito-idp.ap-southeast-1.amazonaws.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
	if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != 200 {
		t.Fatalf("%v %v", res, err)
	}
	secured := tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: "cognito-idp.ap-southeast-1.amazonaws.com"})
	if err := secured.Handshake(); err != nil {
		t.Fatal(err)
	}
	leaf := secured.ConnectionState().PeerCertificates[0]
	for name, ok := range map[string]bool{
		"demo.auth.ap-southeast-1.amazoncognito.com": true, "issuer-cognito-idp.ap-southeast-1.amazonaws.com": true,
		"sts.ap-southeast-1.amazonaws.com": false, "cognito-idp.eu-west-1.amazonaws.com": false, "localhost": false,
	} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	root := secured.ConnectionState().VerifiedChains[0][1]
	if !root.PermittedDNSDomainsCritical || len(root.PermittedDNSDomains) != 3 || len(root.ExcludedIPRanges) != 2 || !root.MaxPathLenZero {
		t.Errorf("constraints %v %v", root.PermittedDNSDomains, root.ExcludedIPRanges)
	}
}

func TestMistakes(t *testing.T) {
	if _, err := awsissuer.NewAuthority("mars"); err == nil || !strings.Contains(err.Error(), "the region does not look like") {
		t.Errorf("a region that is none: %v", err)
	}
	if _, err := awsissuer.New(awsissuer.Config{Region: region}); err == nil || !strings.Contains(err.Error(), "Config.Issuer, Config.Pool or Config.Authority is nil") {
		t.Errorf("a configuration without an issuer: %v", err)
	}
}
