package bench

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/countersign-dev/countersign"
)

// Row is one table of the report.
type Row struct {
	ID         string // in the names of benchmarks
	Title      string
	About      string // a sentence on what is measured
	Contenders []Contender
}

// Names of lines that the promises are about.
const (
	guardName     = "**countersign**"
	clientName    = "**countersign/clientcredentials**"
	authorizeOnly = ", Authorize" // without net/http
	unprotected   = "no authentication"
)

// Suite has the rows and what they stand on.
type Suite struct {
	fixture *Fixture
	ctx     context.Context
	cancel  context.CancelFunc
	guards  []*countersign.Guard
	tokens  int
	signed  func() []string // the live tokens of the row of many
	ballast []byte
}

// ballast is the heap of a small service. Without one, the collector runs every few megabytes, and a line that allocates 300 bytes in 200 ns measures
// the collector.
const ballast = 64 << 20

// NewSuite starts an issuer. tokens is how many there are in the row of many live tokens; to sign one takes a millisecond.
func NewSuite(tokens int) (*Suite, error) {
	f, err := NewFixture()
	if err != nil {
		return nil, err
	}
	s := &Suite{fixture: f, tokens: tokens}
	s.signed = sync.OnceValue(s.sign)
	s.ballast = make([]byte, ballast)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Close ends what the rows have started.
func (s *Suite) Close() {
	s.cancel()
	runtime.KeepAlive(s.ballast)
	for _, g := range s.guards {
		g.Close()
	}
	s.fixture.Close()
}

// guard is a guard of the issuer, with its log switched off like that of the peers, which have none.
func (s *Suite) guard(edit func(*countersign.Config)) (*countersign.Guard, error) {
	cfg := countersign.Config{
		Issuer: s.fixture.Issuer, Resource: resource, Profile: countersign.Cognito, Logger: slog.New(slog.DiscardHandler),
	}
	edit(&cfg)
	g, err := countersign.New(cfg)
	if err == nil {
		s.guards = append(s.guards, g)
	}
	return g, err
}

func unchanged(*countersign.Config)      {}
func withoutCache(c *countersign.Config) { c.CacheBytes = -1 }

// rule is what the measured route asks for.
var rule = countersign.Scope("orders.read")

// Rows are all that is measured.
func (s *Suite) Rows() ([]Row, error) {
	good := s.fixture.token(variant{})
	goodAudience := s.fixture.token(variant{audience: true})
	expired := []string{s.fixture.token(variant{expired: time.Hour}), s.fixture.token(variant{expired: time.Hour, audience: true})}
	var unknown [2][]string // tokens of kids that nobody has, as a sender without a key writes them
	for i := range 64 {
		kid := fmt.Sprintf("kid-that-nobody-has-%d", i)
		unknown[0] = append(unknown[0], spoilt(s.fixture.token(variant{kid: kid})))
		unknown[1] = append(unknown[1], spoilt(s.fixture.token(variant{kid: kid, audience: true})))
	}
	rows := []Row{
		{ID: "Repeated", Title: "A token that was seen before",
			About: "The whole middleware, with the caller in the request's context. A service sees a client's token thousands of times in its hour."},
		{ID: "FirstSight", Title: "First sight of a token", About: "The whole middleware, with the cache of verified tokens switched off."},
		{ID: "BadSignature", Title: "Refused: a bad signature under a known key", About: "Anybody can send it. It costs a public-key operation."},
		{ID: "Expired", Title: "Refused: expired an hour ago", About: "Signed by the issuer."},
		{ID: "UnknownKid", Title: "Refused: a key that the issuer does not have", About: "64 kids in turn. Anybody can send it; whoever asks the issuer each time is a lever against it."},
		{ID: "Hostile", Title: "Refused: 8 MB", About: "A token of 8 MB with the header of a good one."},
	}
	list := func(tokens ...string) func() []string { return func() []string { return tokens } }
	big := func(token string) func() []string { return func() []string { return []string{hostile(token)} } }
	tokens := [][2]func() []string{
		{list(good), list(goodAudience)}, {list(good), list(goodAudience)}, {list(spoilt(good)), list(spoilt(goodAudience))},
		{list(expired[0]), list(expired[1])}, {list(unknown[0]...), list(unknown[1]...)}, {big(good), big(goodAudience)},
	}
	edits := []func(*countersign.Config){unchanged, withoutCache, unchanged, unchanged, unchanged, unchanged}
	for i := range rows {
		served := i < 2
		g, err := s.guard(edits[i])
		if err != nil {
			return nil, err
		}
		protected := g.Require(rule)(http.HandlerFunc(reached))
		rows[i].Contenders = append(rows[i].Contenders, Contender{guardName, true, false, requests(protected, tokens[i][0], served)})
		if err := s.addPeers(&rows[i], tokens[i], served); err != nil {
			return nil, err
		}
	}
	rows[0].Contenders = append(rows[0].Contenders, Contender{unprotected, false, false, requests(http.HandlerFunc(reached), list(good), true)})
	if err := s.addFirstSight(&rows[1], good); err != nil {
		return nil, err
	}
	many, err := s.manyTokens()
	return append(rows, s.clientTokens(), s.clientTransports(), many), err
}

func (s *Suite) addPeers(row *Row, tokens [2]func() []string, served bool) error {
	for _, p := range Peers() {
		h, err := p.Protect(s.ctx, s.fixture, http.HandlerFunc(reached))
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		list := tokens[0]
		if p.Audience {
			list = tokens[1]
		}
		row.Contenders = append(row.Contenders, Contender{p.Name, false, false, requests(h, list, served)})
	}
	return nil
}

// addFirstSight adds the floor, which is crypto/rsa's verification of the same signature, and ours without net/http.
func (s *Suite) addFirstSight(row *Row, token string) error {
	g, err := s.guard(withoutCache)
	if err != nil {
		return err
	}
	authorize := func() (Op, error) {
		op := func(n int) error {
			for range n {
				if _, err := g.Authorize(s.ctx, token, rule); err != nil {
					return err
				}
			}
			return nil
		}
		return op, op(1)
	}
	row.Contenders = append(row.Contenders,
		Contender{guardName + authorizeOnly, true, false, authorize},
		Contender{"crypto/rsa: RSA-2048 and SHA-256", false, true, func() (Op, error) { return rsaFloor(&s.fixture.key.PublicKey, token), nil }})
	return nil
}

func rsaFloor(key *rsa.PublicKey, token string) Op {
	dot := strings.LastIndexByte(token, '.')
	input := []byte(token[:dot])
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	return func(n int) error {
		for range n {
			digest := sha256.Sum256(input)
			if e := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature); err != nil || e != nil {
				return errors.Join(err, e)
			}
		}
		return nil
	}
}

// manyTokens is the row of many live tokens in turn. The tokens are signed when the row starts: they take seconds.
func (s *Suite) manyTokens() (Row, error) {
	row := Row{ID: "ManyTokens", Title: fmt.Sprintf("%d live tokens in turn", s.tokens),
		About: "What a busy gateway sees. The figure is the memory's: each token of a kilobyte is compared in full."}
	g, err := s.guard(unchanged)
	if err != nil {
		return row, err
	}
	h := g.Require(rule)(http.HandlerFunc(reached))
	row.Contenders = []Contender{{guardName, true, false, requests(h, s.signed, true)}}
	return row, nil
}

// sign signs the live tokens on all processors.
func (s *Suite) sign() []string {
	list := make([]string, s.tokens)
	var wg sync.WaitGroup
	const workers = 8
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(list); i += workers {
				list[i] = s.fixture.token(variant{n: i})
			}
		})
	}
	wg.Wait()
	return list
}
