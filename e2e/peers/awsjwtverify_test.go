package peers

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

// awsAccepts are the bad tokens of the zoo that aws-jwt-verify takes and the guard refuses, with the reason why the guard is right.
var awsAccepts = map[string]string{
	"signature with spare bits": "RFC 4648, Section 3.5: with them one token has several spellings",
	"aud of another service":    "RFC 7519, Section 4.1.3: a token with an aud that does not have us MUST be rejected",
	"b64 false":                 "RFC 7797, Section 6: it changes what is signed",
	"crit empty":                "RFC 7515, Section 4.1.11: the list MUST NOT be empty",
	"crit of an unknown member": "RFC 7515, Section 4.1.11: what is critical and not understood makes the token invalid",
	"claim EXP in capitals":     "RFC 7519, Section 4.1.4, and RFC 9068, Section 2.2: then there is no exp, and the token is good for ever",
	"exp missing":               "as claim EXP in capitals",
	"exp twice":                 "RFC 7519, Section 4: names MUST be unique",
	"iss twice":                 "as exp twice",
	"scope twice":               "as exp twice",
	"claims nested 2000 deep":   "a bound of 16 levels",
	"claims that are no UTF-8":  "RFC 8725, Section 3.7",
}

// question is a token that both are asked about.
type question struct {
	name, token string
	accepted    bool // by the guard
}

// TestAWSJWTVerify asks AWS's own verifier for Cognito, which was written by others, in another language, for the same tokens.
func TestAWSJWTVerify(t *testing.T) {
	reader := newAWSReader(t)
	t.Run("the issuer's tokens and the zoo", reader.testIssuer)
	t.Run("mutants", reader.testMutants)
}

// testIssuer has it read what package cognito issues, and every bad token of package prove that is one.
func (a awsReader) testIssuer(t *testing.T) {
	p := newUserPool(t, "")
	questions := []question{
		{"good, two scopes", p.token(t), true},
		{"good, one scope", p.token(t, poolScopes[0]), true},
		{"without the scope", p.token(t, poolScopes[1]), false},
	}
	questions = append(questions, zoo(t, p)...)
	if len(questions) < 60 {
		t.Errorf("only %d tokens to ask about", len(questions))
	}
	differing := map[string]bool{}
	for i, refusal := range a.ask(t, awsInput{PoolID: p.id, Client: p.client, KeySet: p.keySet(t), Now: time.Now()}, questions) {
		q := questions[i]
		switch {
		case q.accepted == (refusal == ""):
		case !q.accepted && awsAccepts[q.name] != "":
			differing[q.name] = true
		default:
			t.Errorf("%s: the guard accepts: %t; aws-jwt-verify refuses: %q", q.name, q.accepted, refusal)
		}
	}
	for name := range awsAccepts {
		if !differing[name] {
			t.Errorf("%s: there is no difference any more", name)
		}
	}
}

// awsRefusals are refusals of the guard that neither of the Go libraries makes us argue.
var awsRefusals = []difference{
	{
		"exp or sub missing", "RFC 9068, Section 2.2: both are required; without exp a token is good for ever",
		countersign.BadClaims, func(r reading) bool {
			sub, _ := r.claims.last("sub").(string)
			return !r.claims.has("exp") || sub == ""
		},
	},
	{
		"aud of another service", "RFC 7519, Section 4.1.3: a token with an aud that does not have us MUST be rejected",
		countersign.BadAudience, func(r reading) bool {
			return r.claims.has("aud") && !listed(r.claims.last("aud"), resource) && !listed(r.claims.last("aud"), r.claims.last("client_id"))
		},
	},
}

// testMutants asks it about mutated tokens of [TestDifferences]: those that name its user pool.
func (a awsReader) testMutants(t *testing.T) {
	m, guard := newMutator(seed), newGuard(t, func(c *countersign.Config) { c.ClientIDs = []string{client} })
	var questions []question
	var how [][]string
	for len(questions) < 3000 {
		x := m.next()
		if readToken(x.token).issuer() == pool {
			_, err := guard.Authorize(t.Context(), x.token, countersign.Scope("demo.read"))
			questions, how = append(questions, question{string(reasonOf(err)), x.token, err == nil}), append(how, x.how)
		}
	}
	set := must(os.ReadFile(keySetFile(t, pool)))
	found := map[string]int{}
	for i, refusal := range a.ask(t, awsInput{PoolID: path.Base(pool), Client: client, KeySet: set, Now: now}, questions) {
		q := questions[i]
		if q.accepted == (refusal == "") {
			continue
		}
		table := admissions
		if !q.accepted {
			table = slices.Concat(refusals, awsRefusals)
		}
		r := readToken(q.token)
		row := slices.IndexFunc(table, func(d difference) bool { return string(d.reason) == q.name && d.when(r) })
		if row < 0 {
			t.Errorf("%q: the guard says %q, aws-jwt-verify %q: %s", how[i], q.name, refusal, q.token)
			continue
		}
		found[table[row].name]++
	}
	t.Logf("of %d mutants: %v", len(questions), found)
}

// zoo asks the guard about the bad tokens, and returns those that are a token in an Authorization header: how a token is sent is none of
// aws-jwt-verify's business.
func zoo(t *testing.T, p userPool) []question {
	t.Helper()
	guard, err := countersign.New(countersign.Config{
		Issuer: p.issuer, Resource: resource, HTTPClient: &http.Client{Transport: p}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { guard.Close() })
	api := guard.Mux()
	api.HandleFunc("GET /demo", func(http.ResponseWriter, *http.Request) {}, countersign.Scope("demo.read"))
	_, signer, err := p.service.SigningKey(p.id)
	if err != nil {
		t.Fatal(err)
	}
	target := &recorder{Target: prove.Handler(api)}
	report, err := prove.Run(t.Context(), prove.Config{
		Policy: api.Policy(), Target: target, Signer: signer, Concurrency: 1,
		Tokens: prove.Clients{{Scopes: poolScopes, Token: func(_ context.Context, scopes []string) (string, error) { return p.token(t, scopes...), nil }}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Err(); err != nil {
		t.Error(err)
	}
	var sent []prove.Row
	for _, row := range report.Rows {
		if row.State == prove.Proved || row.State == prove.Different {
			sent = append(sent, row)
		}
	}
	if len(sent) != len(target.sent) {
		t.Fatalf("%d rows and %d requests", len(sent), len(target.sent))
	}
	var questions []question
	for i, r := range target.sent {
		values := r.header.Values("Authorization")
		token, isBearer := "", false
		if len(values) == 1 {
			token, isBearer = strings.CutPrefix(values[0], "Bearer ")
		}
		if isBearer && token != "" && r.query == "" {
			questions = append(questions, question{strings.TrimPrefix(sent[i].Case, "bad token "), token, r.status == http.StatusOK})
		}
	}
	return questions
}

// recorder is a target that remembers what it was sent.
type recorder struct {
	prove.Target
	sent []exchange
}

type exchange struct {
	header http.Header
	query  string
	status int
}

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	header := req.Header.Clone()
	res, err := r.Target.Do(req)
	if err == nil {
		r.sent = append(r.sent, exchange{header, req.URL.RawQuery, res.StatusCode})
	}
	return res, err
}
