package tokenproxy

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/tokenendpoint"
)

// Config says what a proxy stands in front of. Upstream is required.
type Config struct {
	Upstream     string       // URL of the token endpoint; https, or http on the loopback
	MaxEntries   int          // tokens that are held; 0 means 10,000
	StrangerRate float64      // requests a second to the issuer for credentials of which no token is held; 0 means 50
	HTTPClient   *http.Client // asks the issuer; nil for the default
	Logger       *slog.Logger // a line a request, without secrets and tokens; nil logs nothing
}

// Proxy is a caching token endpoint. Make it with [New].
type Proxy struct {
	cfg    Config
	secret []byte // of the hash that names the entries
	cache  *cache
	counts counts
	close  context.CancelFunc
}

// New checks the configuration. It asks nobody.
func New(cfg Config) (*Proxy, error) {
	if cfg.MaxEntries == 0 {
		cfg.MaxEntries = 10_000
	}
	if cfg.StrangerRate == 0 {
		cfg.StrangerRate = 50
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	// The second is false for what is not a number.
	if cfg.MaxEntries < 0 || !(cfg.StrangerRate > 0) || math.IsInf(cfg.StrangerRate, 0) {
		return nil, errors.New("tokenproxy: MaxEntries and StrangerRate are positive numbers")
	}
	p := &Proxy{cfg: cfg, secret: make([]byte, sha256.Size)}
	rand.Read(p.secret) // it never returns an error
	probe, err := p.source(tokenendpoint.Request{ClientID: "probe"}, "probe")
	if err != nil {
		return nil, fmt.Errorf("tokenproxy: the address of the token endpoint: %w", err)
	}
	_ = probe.Close()
	closing, stop := context.WithCancel(context.Background())
	p.close = stop
	p.cache = newCache(closing, cfg.MaxEntries, cfg.StrangerRate, &p.counts)
	return p, nil
}

// Close ends the requests to the issuer that are under way, and waits for them.
func (p *Proxy) Close() error {
	p.close()
	p.cache.work.Wait()
	return nil
}

// ServeHTTP answers a token request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	p.counts.requests.Add(1)
	q, err := tokenendpoint.Read(r)
	switch {
	case err != nil:
		p.fail(w, r, tokenendpoint.Refusal(err), began, err.Error())
		return
	case q.ClientID == "" || q.Secret() == "":
		const reason = "the request has no client id and secret"
		p.fail(w, r, tokenendpoint.Failure{Code: clientcredentials.InvalidClient, Status: http.StatusBadRequest, Reason: reason}, began, reason)
		return
	}
	token, left, err := p.cache.get(r.Context(), p.key(q), q.Again, p.ask(q))
	switch {
	case errors.Is(err, errBusy):
		p.fail(w, r, tokenendpoint.Failure{Status: http.StatusTooManyRequests, RetryAfter: time.Second}, began, errBusy.Error())
	case err != nil:
		p.fail(w, r, tokenendpoint.FailureOf(err), began, err.Error())
	default:
		tokenendpoint.Grant{AccessToken: token.AccessToken, Scopes: token.Scopes, Left: left}.Write(w)
		p.cfg.Logger.InfoContext(r.Context(), "token", "status", http.StatusOK, "client_id", q.ClientID,
			"expires_in", int(left.Seconds()), "duration_ms", time.Since(began).Milliseconds(), "remote", r.RemoteAddr)
	}
}

// fail answers, and says in the log what the caller is not told. The client id of a refused request is a stranger's text.
func (p *Proxy) fail(w http.ResponseWriter, r *http.Request, f tokenendpoint.Failure, began time.Time, reason string) {
	p.counts.failures.Add(1)
	f.Write(w)
	p.cfg.Logger.InfoContext(r.Context(), "token", "status", f.Status, "error", f.Code, "reason", reason,
		"duration_ms", time.Since(began).Milliseconds(), "remote", r.RemoteAddr)
}

// key hashes all that decides what is in the answer. Each part has its length before it, so that no two requests join
// to the same text.
func (p *Proxy) key(q tokenendpoint.Request) key {
	mac := hmac.New(sha256.New, p.secret)
	part(mac, q.ClientID)
	part(mac, q.Secret())
	for _, scope := range q.Scopes {
		part(mac, scope)
	}
	return key(mac.Sum(nil))
}

func part(h hash.Hash, text string) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(text)))
	h.Write(length[:])
	h.Write([]byte(text))
}

// ask returns a function that asks the issuer with what the request shows.
func (p *Proxy) ask(q tokenendpoint.Request) ask {
	return func(ctx context.Context) (*clientcredentials.Token, error) {
		source, err := p.source(q, q.Secret())
		if err != nil {
			// Its text repeats a scope, which is a stranger's.
			return nil, &clientcredentials.Error{Code: clientcredentials.InvalidRequest, Status: http.StatusBadRequest,
				Err: errors.New("client id, secret or a scope is malformed")}
		}
		defer source.Close()
		token, err := source.Token(ctx)
		stats := source.Stats()
		p.counts.upstream.Add(stats.Requests)
		p.counts.granted.Add(stats.Granted)
		return token, err
	}
}

// source is the token client, for one token: it bounds the answer, follows no redirect, takes the earlier of expires_in
// and the token's exp, repeats none of the issuer's text, and tries again where that helps.
func (p *Proxy) source(q tokenendpoint.Request, secret string) (*clientcredentials.Source, error) {
	door := clientcredentials.ClientSecretPost
	if q.Basic {
		door = clientcredentials.ClientSecretBasic
	}
	client := p.cfg.HTTPClient
	if q.Again {
		client = insisting(client)
	}
	return clientcredentials.New(clientcredentials.Config{
		TokenEndpoint: p.cfg.Upstream, Credentials: clientcredentials.Static(q.ClientID, secret), Scopes: q.Scopes,
		Door: door, HTTPClient: client,
	})
}

// insisting returns a copy of the client that passes a caller's no-cache on: a cache behind this one has the token that was refused
// too (RFC 9111, Section 5.2.1.4).
func insisting(client *http.Client) *http.Client {
	var own http.Client
	if client != nil {
		own = *client
	}
	own.Transport = noCache{cmp.Or(own.Transport, http.DefaultTransport)}
	return &own
}

type noCache struct{ base http.RoundTripper }

func (n noCache) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Cache-Control", "no-cache")
	return n.base.RoundTrip(req)
}
