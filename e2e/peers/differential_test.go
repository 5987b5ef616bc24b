package peers

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
)

// seed and mutants fix what is tried in every run.
const (
	seed    = 20261123
	mutants = 20000
)

// judge compares the guard with the two libraries over one token. It names the row of a table that argues a difference; a difference without
// one is an error of the guard, or of the tables.
type judge struct {
	plain, cached *countersign.Guard
	theirs        []peer
}

type peer struct {
	name   string
	verify verifier
}

func newJudge(t testing.TB) judge {
	plain, cached := newGuard(t, func(c *countersign.Config) { c.CacheBytes = -1 }), newGuard(t, func(*countersign.Config) {})
	return judge{plain, cached, []peer{{"golang-jwt", golangJWT()}, {"go-jose", goJose()}}}
}

// verdict is what was found about one token.
type verdict struct {
	reason   countersign.Reason // of our refusal; empty when we accept
	accepted []string           // by whom else
	refused  []string
	row      string // of a table; empty when there is no difference
	problem  string // empty when there is none, or when the row argues it
}

func (j judge) about(ctx context.Context, token string) verdict {
	rule := countersign.Scope("demo.read")
	_, err := j.plain.Authorize(ctx, token, rule)
	v := verdict{reason: reasonOf(err)}
	for range 2 {
		if _, again := j.cached.Authorize(ctx, token, rule); reasonOf(again) != v.reason {
			v.problem = fmt.Sprintf("with a cache of verified tokens: %v; without: %v", again, err)
			return v
		}
	}
	for _, p := range j.theirs {
		if p.verify(token) == nil {
			v.accepted = append(v.accepted, p.name)
		} else {
			v.refused = append(v.refused, p.name)
		}
	}
	table := refusals
	if v.reason == "" {
		table = admissions
	}
	if v.reason == "" && v.refused == nil || v.reason != "" && v.accepted == nil {
		return v
	}
	r := readToken(token)
	for _, d := range table {
		if d.reason == v.reason && d.when(r) {
			v.row = d.name
			return v
		}
	}
	v.problem = fmt.Sprintf("we say %q, accepted by %v, refused by %v, and no table argues that", v.reason, v.accepted, v.refused)
	return v
}

// TestDifferences compares the guard with golang-jwt and go-jose over mutated tokens. No token that the guard accepts is refused by another,
// and none that it refuses is accepted by another, unless a table says why the guard is right.
func TestDifferences(t *testing.T) {
	t.Logf("seed %d", seed)
	m, j := newMutator(seed), newJudge(t)
	found := map[string]int{}
	accepted := 0
	for range mutants {
		x := m.next()
		v := j.about(t.Context(), x.token)
		if v.reason == "" {
			accepted++
		}
		if v.problem != "" {
			t.Errorf("%q: %s: %s", x.how, v.problem, x.token)
		}
		found[v.row]++
	}
	t.Logf("%d mutants, %d accepted, %d without a difference", mutants, accepted, found[""])
	// Mutants that are all refused would agree by being worthless.
	if accepted < mutants/10 || accepted > mutants/2 {
		t.Errorf("%d of %d mutants are accepted", accepted, mutants)
	}
	for _, d := range slices.Concat(refusals, admissions) {
		t.Logf("%5d %s: %s", found[d.name], d.name, d.why)
		if found[d.name] == 0 {
			t.Errorf("no mutant shows the difference %q: it is not known any more that there is one", d.name)
		}
	}
}

// FuzzDifferences lets the fuzzer write header and claims, which are then signed as they are. spoil, unless it is 0, changes the encoding or the
// signature afterwards.
func FuzzDifferences(f *testing.F) {
	for _, issuer := range []string{pool, tenant} {
		f.Add(headerOf(issuer, keysOf[issuer][0]).String(), good[issuer].String(), uint16(0))
	}
	seeds := newMutator(seed)
	for range 50 {
		h, c, _, _ := cut(seeds.next().token)
		header, claims := readDocument(h), readDocument(c)
		f.Add(header.text, claims.text, uint16(0))
	}
	for _, rare := range rarities {
		f.Add(headerOf(pool, keysOf[pool][0]).String(), strings.Replace(good[pool].String(), rare[0], rare[1], 1), uint16(0))
	}
	j := newJudge(f)
	f.Fuzz(func(t *testing.T, header, claims string, spoil uint16) {
		d := draft{texts: [2]string{header, claims}}
		for i, text := range d.texts {
			d.parts[i] = base64.RawURLEncoding.EncodeToString([]byte(text))
		}
		m := newMutator(uint64(spoil))
		if spoil%3 == 1 {
			m.changeParts(&d)
		}
		key := keyNamed(readDocument(d.parts[0]).last("kid"))
		d.token = d.parts[0] + "." + d.parts[1]
		d.token += "." + signature(key, d.token)
		if spoil%3 == 2 {
			m.changeToken(&d, key)
		}
		if v := j.about(t.Context(), d.token); v.problem != "" {
			t.Errorf("%s: %s", v.problem, d.token)
		}
	})
}

// rarities are what makes good claims rare, where the tables have to be exact.
var rarities = [][2]string{
	{`"version":2`, `"version":` + strings.Repeat("[", 16) + strings.Repeat("]", 16)},
	{`"version":2`, `"version":1e400`},
	{`"version":2`, `"version":"\ud83d\\\ude00"`},
	{`"version":2`, `"nbf":0.` + strings.Repeat("0", 70)},
	{`demo.list"`, `demo.list` + strings.Repeat(" a", 512) + `"`},
	{`"client_id":"` + client + `"`, `"client_id":{},"aud":{}`},
	{`"client_id":"` + client + `"`, `"client_id":{},"aud":[{}]`},
}

// keyNamed is the key for the kid, or any.
func keyNamed(kid any) signingKey {
	for _, keys := range keysOf {
		for _, k := range keys {
			if k.kid == kid {
				return k
			}
		}
	}
	return keysOf[pool][0]
}
