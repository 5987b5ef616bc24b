package prove

import (
	"cmp"
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/countersign-dev/countersign"
)

// Config says what to prove, on which target, and with what. Policy and Target are required.
type Config struct {
	Policy countersign.Policy
	Target Target

	// Tokens mints the good tokens. When it is nil, only what needs no token is run.
	Tokens Tokens
	// Signer is the issuer's private key, where the prover holds it: in process and at the local issuer. Without it the
	// bad tokens that only the issuer could have signed cannot be made.
	Signer crypto.Signer
	// PublicKey is the issuer's public key, for the tokens that abuse it. When it is nil, it is Signer's.
	PublicKey crypto.PublicKey

	// Values are for the wildcards of patterns, by name. A wildcard that has none is "1".
	Values map[string]string
	// RefusalsOnly keeps requests that must be admitted from methods that change things.
	RefusalsOnly bool

	// Concurrency bounds the requests under way. Zero is 8.
	Concurrency int
	// Timeout bounds each request. Zero is 10 seconds.
	Timeout time.Duration
	// Progress, if it is not nil, is called after each case, by one goroutine at a time.
	Progress func(done, total int)
	// Now is the time. Nil is time.Now.
	Now func() time.Time
}

// The zero values of Config.
const (
	defaultConcurrency = 8
	defaultTimeout     = 10 * time.Second
)

func (c *Config) validate() error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf("prove: "+format, args...)) }
	if len(c.Policy.Routes) == 0 {
		problem("the policy has no routes")
	}
	if c.Target == nil {
		problem("Target is required")
	}
	if c.Concurrency < 0 || c.Concurrency > 1000 {
		problem("Concurrency is %d; write 1 to 1000", c.Concurrency)
	}
	if c.Timeout < 0 {
		problem("Timeout is negative")
	}
	if c.Concurrency == 0 {
		c.Concurrency = defaultConcurrency
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.PublicKey == nil && c.Signer != nil {
		c.PublicKey = c.Signer.Public()
	}
	return errors.Join(problems...)
}

// Run proves the policy. It first asks for the tokens, one for each scope set, and then sends the requests. The error is
// about the run itself: a Config that is wrong, or the end of ctx, after which the report has what is known
// so far. What the target does wrong is in the report.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if err := cfg.validate(); err != nil {
		return Report{}, err
	}
	r := &runner{
		cfg:    cfg,
		wallet: newWallet(cfg.Tokens),
		forger: forger{signer: cfg.Signer, public: cfg.PublicKey, now: cfg.Now},
		finder: newFinder(cfg.Policy, cfg.Values),
		forged: map[string]made{},
	}
	r.plan()
	for i := range r.cases {
		r.prepare(ctx, i)
	}
	r.sendAll(ctx)
	report := Report{Target: cfg.Target.String(), Rows: r.rows, Tokens: len(r.wallet.have)}
	if err := context.Cause(ctx); err != nil {
		return report, fmt.Errorf("prove: %w", err)
	}
	return report, nil
}

// runner is one run.
type runner struct {
	cfg    Config
	wallet *wallet
	forger forger
	finder *finder
	forged map[string]made

	cases  []Case
	tokens []string // of the cases
	rows   []Row
	todo   []int // the cases that can be sent

	mu   sync.Mutex
	done int
}

type made struct {
	token string
	err   error
}

func (r *runner) plan() {
	scopes := universe(r.cfg.Policy)
	if other := r.wallet.other(scopes, r.cfg.Policy.FullScope("")); other != "" {
		scopes = append(scopes, other)
		slices.Sort(scopes)
	}
	r.cases = plan(r.cfg.Policy, scopes, r.finder)
	r.tokens = make([]string, len(r.cases))
	r.rows = make([]Row, len(r.cases))
	for i, c := range r.cases {
		r.rows[i] = Row{
			Route: routeName(c.Route), Rule: c.Route.Rule.String(), Source: c.Route.Source,
			Case: c.Name, Kind: c.Kind, Clause: c.Clause, Want: c.Want(),
		}
	}
}

// prepare makes the token of a case, or says why there is none.
func (r *runner) prepare(ctx context.Context, i int) {
	c, row := &r.cases[i], &r.rows[i]
	unprovable := func(reason string) { row.State, row.Note = Unprovable, reason }
	if c.Unprovable != "" {
		unprovable(c.Unprovable)
		return
	}
	if r.cfg.RefusalsOnly && len(c.Answers) == 0 && changesThings(c.Route.Method) {
		unprovable("a " + cmp.Or(c.Route.Method, "write") + " that is admitted changes things, and only refusals are asked for")
		return
	}
	var good string
	if c.Scopes != nil {
		scopes, reason := r.base(*c)
		if reason != "" {
			unprovable(reason)
			return
		}
		if ctx.Err() == nil {
			r.wallet.mint(ctx, scopes)
		}
		if err := r.wallet.failed[setKey(scopes)]; err != nil {
			row.State, row.Note = NotRun, "no token: "+printable(err.Error())
			return
		}
		if good = r.wallet.have[setKey(scopes)]; good == "" {
			row.State, row.Note = NotRun, "the run was ended"
			return
		}
		if p, err := takeApart(good); err == nil && (c.Kind == KindScope || c.near) && c.gate.named(p.client) {
			unprovable("the token's client is one that the rule names")
			return
		}
	}
	token, err := r.make(*c, good)
	if err != nil {
		unprovable(err.Error())
		return
	}
	r.tokens[i] = token
	r.todo = append(r.todo, i)
}

// base is the scope set of the good token of a case. A bad token can be made from any good one where the right one
// cannot be had: it is refused before its scopes are looked at.
func (r *runner) base(c Case) (scopes []string, unmintable string) {
	reason := r.wallet.unmintable(c.Scopes)
	if reason != "" && len(c.Answers) > 0 && (c.Make.changes() || c.Make.Send != nil) && !c.near {
		for _, grant := range r.wallet.grants {
			if len(grant) > 0 {
				return grant[:1], ""
			}
		}
	}
	return c.Scopes, reason
}

// make makes the token that is sent. The same one serves every route whose rule asks for the same scopes.
func (r *runner) make(c Case, good string) (string, error) {
	if !c.Make.changes() {
		return good, nil
	}
	key := c.Name + "\x00" + good
	m, ok := r.forged[key]
	if !ok {
		m.token, m.err = r.forger.make(c.Make, good, c.gate)
		r.forged[key] = m
	}
	return m.token, m.err
}

// sendAll sends what was prepared.
func (r *runner) sendAll(ctx context.Context) {
	r.done = len(r.cases) - len(r.todo)
	var wg sync.WaitGroup
	work := make(chan int)
	for range min(r.cfg.Concurrency, len(r.todo)) {
		wg.Go(func() {
			for i := range work {
				r.send(ctx, i)
			}
		})
	}
	for _, i := range r.todo {
		work <- i
	}
	close(work)
	wg.Wait()
}

func (r *runner) send(ctx context.Context, i int) {
	row := &r.rows[i]
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.done++; r.cfg.Progress != nil {
			r.cfg.Progress(r.done, len(r.cases))
		}
	}()
	if ctx.Err() != nil {
		row.State, row.Note = NotRun, "the run was ended"
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.cfg.Timeout, errTimeout)
	defer cancel()
	req, err := r.finder.request(ctx, r.cases[i], r.tokens[i])
	if errors.Is(err, errShadowed) {
		row.State, row.Note = Unprovable, err.Error()
		return
	}
	if err != nil {
		row.State, row.Note = NotRun, err.Error()
		return
	}
	res, err := r.cfg.Target.Do(req)
	var fell panicked
	switch {
	case errors.As(err, &fell):
		row.State, row.Got, row.Note = Different, "panic", r.clean(i, fell.value)
		return
	case err != nil:
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		row.State, row.Note = NotRun, r.clean(i, err.Error())
		return
	}
	ok, got, note := r.cases[i].judge(res)
	row.State, row.Got, row.Note = Proved, r.clean(i, got), r.clean(i, note)
	if !ok {
		row.State = Different
	}
}

var errTimeout = errors.New("no answer in time")

// clean takes the token out of a text that came from elsewhere, before anything cuts it into pieces.
func (r *runner) clean(i int, text string) string {
	if token := r.tokens[i]; len(token) > 8 {
		text = strings.ReplaceAll(text, token, "<redacted>")
	}
	return printable(text)
}

func changesThings(method string) bool {
	return !slices.Contains([]string{"GET", "HEAD", "OPTIONS", "TRACE"}, method)
}
