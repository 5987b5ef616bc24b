package prove

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

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
		forger: forger{signer: cfg.Signer, keys: cfg.Keys, now: cfg.Now},
		finder: newFinder(cfg.Policy, cfg.Values, cfg.Examples),
		forged: map[forgery]made{},
	}
	r.finder.made = cfg.Made
	r.plan()
	for i := range r.cases {
		r.prepare(ctx, i)
	}
	r.sendAll(ctx)
	r.settle(ctx)
	report := Report{Target: cfg.Target.String(), Rows: r.rows, Tokens: len(r.wallet.have), Strict: cfg.Strict}
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
	forged map[forgery]made

	cases  []Case
	tokens []string // of the cases
	rows   []Row
	todo   []int // the cases that can be sent
	probes []int // those of them that ask the guard

	mu   sync.Mutex
	done int
}

// forgery is what a token was made for and from.
type forgery struct{ name, good string }

type made struct {
	token string
	err   error
}

func (r *runner) plan() {
	scopes := universe(r.cfg.Policy)
	if other := r.wallet.other(scopes, r.cfg.Policy.FullScope(""), r.cfg.Policy.FullScope(r.cfg.Probe)); other != "" {
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
	if r.wantsProbe(*c) {
		token, reason, err := r.prepareProbe(ctx, c)
		switch {
		case reason != "":
			unprovable(reason)
		case err != nil:
			row.State, row.Note = NotRun, printable(err.Error())
		default:
			r.tokens[i] = token
			r.probes = append(r.probes, i)
		}
		return
	}
	if r.cfg.RefusalsOnly && len(c.Answers) == 0 && changesThings(c.Route.Method) {
		unprovable("a " + cmp.Or(c.Route.Method, "write") + reasonRefusals)
		return
	}
	var good string
	if c.Scopes != nil {
		scopes, reason := r.base(*c)
		if reason != "" {
			unprovable(reason)
			return
		}
		var err error
		if good, err = r.mint(ctx, scopes); err != nil {
			row.State, row.Note = NotRun, printable(err.Error())
			return
		}
		if c.Kind == KindScope || c.near {
			if p, err := takeApart(good); err == nil && c.gate.named(p.client) {
				unprovable("the token's client is one that the rule names")
				return
			}
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

// mint is the good token with the scopes. Each is asked for once.
func (r *runner) mint(ctx context.Context, scopes []string) (string, error) {
	if ctx.Err() == nil {
		r.wallet.mint(ctx, scopes)
	}
	if err := r.wallet.failed[setKey(scopes)]; err != nil {
		return "", fmt.Errorf("no token: %w", err)
	}
	if token := r.wallet.have[setKey(scopes)]; token != "" {
		return token, nil
	}
	return "", errEnded
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
	key := forgery{c.Name, good}
	m, ok := r.forged[key]
	if !ok {
		if m.token, m.err = r.forger.make(c.Make, good, c.gate); m.err != nil {
			m.token, m.err = r.expired(c, good, m.err)
		}
		r.forged[key] = m
	}
	return m.token, m.err
}

// sendAll sends what was prepared.
func (r *runner) sendAll(ctx context.Context) {
	// A probe's token is not believed for long: a run that is slow on purpose must not begin with something else.
	r.todo = append(r.probes, r.todo...)
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
		row.State, row.Note = NotRun, errEnded.Error()
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
	row.Look = r.cleanLook(i, res)
	if why := passing(res.StatusCode); why != "" {
		row.State, row.Got, row.Note = NotRun, fmt.Sprint(res.StatusCode), why
		return
	}
	if r.cases[i].probe {
		state, got, note := r.cases[i].judgeProbe(res)
		row.State, row.Got, row.Note = state, r.clean(i, got), r.clean(i, note)
		return
	}
	if r.cases[i].unsettled(res) {
		row.State, row.Got = "", r.clean(i, "404")
		return
	}
	ok, got, note := r.cases[i].judge(res)
	row.State, row.Got, row.Note = Proved, r.clean(i, got), r.clean(i, note)
	if !ok {
		row.State = Different
	}
}

var (
	errTimeout = errors.New("no answer in time")
	errEnded   = errors.New("the run was ended")
)

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
