package report

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/sarif"
	"github.com/countersign-dev/countersign/prove"
)

// edgeOnly is the SARIF rule of what only the edge protects.
const edgeOnly prove.Kind = "edge only"

// kinds are the findings as SARIF has them, the gravest first. The ids are kept: code scanning knows an alert again by them.
var kinds = []struct {
	kind prove.Kind
	rule sarif.Rule
}{
	{prove.KindNoToken, sarif.Rule{
		ID: "countersign/prove/no-token", Name: "AnswersWithoutToken", Title: "Answers without a token as no refusal should",
		Help:  "A request without a token was admitted, or refused in another way than RFC 6750 demands. Put the route behind the guard.",
		Level: "error", Severity: "9.0",
	}},
	{prove.KindDetour, sarif.Rule{
		ID: "countersign/prove/detour", Name: "AdmittedByDetour", Title: "Admitted when spelt another way",
		Help:  "A request without a token was admitted because its path or method was spelt another way. Decide on the path that the router serves.",
		Level: "error", Severity: "9.0",
	}},
	{prove.KindBadToken, sarif.Rule{
		ID: "countersign/prove/bad-token", Name: "BadTokenTaken", Title: "A bad token was not refused as it must be",
		Help:  "A forged, spoilt, misplaced or expired token was admitted, or refused in another way than the clause demands.",
		Level: "error", Severity: "9.0",
	}},
	{prove.KindScope, sarif.Rule{
		ID: "countersign/prove/scope", Name: "WrongScopeAdmitted", Title: "A wrong scope was not refused as it must be",
		Help:  "A good token without the scope that the policy asks for was admitted, or refused without saying which scope it needs.",
		Level: "error", Severity: "8.0",
	}},
	{edgeOnly, sarif.Rule{
		ID: "countersign/prove/edge-only", Name: "ProtectedAtTheEdgeOnly", Title: "Protected at the edge only",
		Help:  "The edge refuses the request and the service does not: whoever reaches the service past the edge gets in.",
		Level: "error", Severity: "8.0",
	}},
	{prove.KindAllowed, sarif.Rule{
		ID: "countersign/prove/allowed", Name: "RightCallerRefused", Title: "The right caller is not let in",
		Help:  "A request that the policy admits was refused, or the service failed.",
		Level: "warning", Severity: "3.0",
	}},
	{KindComparison, sarif.Rule{
		ID: "countersign/prove/comparison", Name: "DiffersFromEarlierReport", Title: "Not as in the earlier report",
		Help:  "The same case was answered otherwise in the report that this run was compared with.",
		Level: "warning", Severity: "3.0",
	}},
}

// sarif writes a result for each difference. What could not be run is no finding about the service: it is said of the invocation.
func (r Report) sarif(w io.Writer) error {
	run := sarif.Run{
		Version: r.Version, Category: r.category(), Fingerprint: "countersignCase/v1",
		Invocation: &sarif.Invocation{Successful: r.ExitCode() != 2, ExitCode: r.ExitCode()},
	}
	ids := map[prove.Kind]string{}
	for _, k := range kinds {
		ids[k.kind] = k.rule.ID
		run.Rules = append(run.Rules, k.rule)
	}
	seen := map[string]int{}
	for _, row := range r.Rows {
		switch row.State {
		case prove.Different:
			print := row.fingerprint()
			if seen[print]++; seen[print] > 1 { // one pattern on two muxes, with two rules
				print += "-" + strconv.Itoa(seen[print])
			}
			run.Results = append(run.Results, sarif.Result{
				Rule: ids[row.finding()], Text: row.Route + ": " + row.sentence() + ". " + row.Clause + ".",
				Fingerprint: print, File: row.File, Line: row.Line, Name: row.Route,
			})
		case prove.NotRun:
			run.Invocation.Problems = append(run.Invocation.Problems, row.Route+": "+row.sentence())
		}
	}
	for _, gap := range r.missing() {
		run.Invocation.Problems = append(run.Invocation.Problems, "not tried: "+gap)
	}
	return run.Write(w)
}

// category is the same in every run against a host: a port is another one in each run of a local system, and alerts of a category
// that is never written again stay open.
func (r Report) category() string {
	address, _, _ := strings.Cut(r.Target, " ")
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		address = u.Hostname()
	}
	return "countersign/prove/" + address + "/"
}

// finding is the kind of the SARIF rule that a difference belongs to.
func (r Row) finding() prove.Kind {
	if r.Via == Direct && r.RefusedBy == Edge {
		return edgeOnly
	}
	for _, k := range kinds {
		if k.kind == r.Kind {
			return r.Kind
		}
	}
	return prove.KindAllowed // a kind that this version does not know yet
}

// fingerprint is the same for the same case of a route, whatever line the route moved to and whatever was answered.
func (r Row) fingerprint() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(r.finding()), r.Route, r.Case}, "\x00")))
	return hex.EncodeToString(sum[:16])
}
