package clientcredentials_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// certificate is a client's own, self-signed.
func certificate() tls.Certificate {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "orders"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der := must(x509.CreateCertificate(rand.Reader, template, template, ecdsaKey.Public(), ecdsaKey))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: ecdsaKey}
}

// mutual is an issuer that goes by the certificate of the connection.
func mutual(t *testing.T, aliases map[string]string) *httptest.Server {
	mux := http.NewServeMux()
	server := httptest.NewUnstartedServer(mux)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		document := map[string]any{"issuer": server.URL, "token_endpoint": server.URL + "/plain"}
		if aliases != nil {
			named := map[string]string{}
			for name, path := range aliases {
				named[name] = server.URL + path
			}
			document["mtls_endpoint_aliases"] = named
		}
		_ = json.NewEncoder(w).Encode(document)
	})
	mux.HandleFunc("POST /{door}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		shown := r.TLS.PeerCertificates
		if len(shown) != 1 || shown[0].Subject.CommonName != r.FormValue("client_id") || r.Form.Has("client_secret") || r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"`+r.PathValue("door")+`","token_type":"Bearer","expires_in":3600}`)
	})
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// trusting is a client that knows the server's authority, and has a certificate or none.
func trusting(server *httptest.Server, own ...tls.Certificate) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: own}, DisableKeepAlives: true}}
}

func TestClientCertificate(t *testing.T) {
	for _, c := range []struct {
		name     string
		aliases  map[string]string
		own      []tls.Certificate
		clientID string
		want     string // the token; empty for none
	}{
		{"rfc8705 s2: the certificate proves the client", nil, []tls.Certificate{certificate()}, "orders", "plain"},
		{"rfc8705 s5: the alias is used", map[string]string{"token_endpoint": "/mtls"}, []tls.Certificate{certificate()}, "orders", "mtls"},
		{"rfc8705 s5: aliases of other endpoints", map[string]string{"revocation_endpoint": "/mtls"}, []tls.Certificate{certificate()}, "orders", "plain"},
		{"the certificate of another client", nil, []tls.Certificate{certificate()}, "stock", ""},
		{"no certificate", nil, nil, "orders", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := mutual(t, c.aliases)
			s, err := clientcredentials.New(clientcredentials.Config{
				Issuer: server.URL, Credentials: clientcredentials.ClientCertificate(c.clientID), HTTPClient: trusting(server, c.own...),
			})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			got, err := s.Token(t.Context())
			switch {
			case c.want == "" && !errors.Is(err, &clientcredentials.Error{Code: clientcredentials.InvalidClient}):
				t.Errorf("got %v, %v", got, err)
			case c.want != "" && (err != nil || got.AccessToken != c.want):
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// The alias is for those who show a certificate.
func TestAliasIsForCertificates(t *testing.T) {
	i := &issuer{}
	i.set(func(_ int, req request) *http.Response {
		if strings.HasSuffix(req.url, "/.well-known/openid-configuration") {
			return answer(200, "application/json", `{"issuer":"https://issuer.example.com","token_endpoint":"https://issuer.example.com/token",
				"mtls_endpoint_aliases":{"token_endpoint":"https://mtls.example.com/token"}}`)
		}
		return granted("opaque", 3600)
	})
	s := i.source(t, func(cfg *clientcredentials.Config) { cfg.Issuer, cfg.TokenEndpoint = "https://issuer.example.com", "" })
	token(t, s)
	if got := i.last().url; got != "https://issuer.example.com/token" {
		t.Errorf("the secret went to %s", got)
	}
}

func TestClientCertificateIsChecked(t *testing.T) {
	for want, cfg := range map[string]clientcredentials.Config{
		"Config.HTTPClient: has no Transport":                                   {TokenEndpoint: endpoint, Credentials: clientcredentials.ClientCertificate("orders")},
		"Config.Credentials: the client id given to ClientCertificate is empty": {TokenEndpoint: endpoint, Credentials: clientcredentials.ClientCertificate(""), HTTPClient: &http.Client{Transport: &http.Transport{}}},
	} {
		if _, err := clientcredentials.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A certificate that nobody trusts is for a person to put right: it is not tried four times, and is no outage.
func TestCertificateThatIsNotTrusted(t *testing.T) {
	server := mutual(t, nil)
	for name, cfg := range map[string]clientcredentials.Config{
		"of the issuer":         {Issuer: server.URL},
		"of the token endpoint": {TokenEndpoint: server.URL + "/plain"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Credentials = clientcredentials.Static("orders", "s3cret")
			cfg.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}}}
			s, err := clientcredentials.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			_, err = s.Token(t.Context())
			var failed *clientcredentials.Error
			if !errors.As(err, &failed) || failed.Temporary() || failed.Attempt != 1 || !strings.Contains(err.Error(), "certificate signed by unknown authority") {
				t.Errorf("got %v", err)
			}
		})
	}
}
