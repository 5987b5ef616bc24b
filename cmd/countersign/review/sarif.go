package review

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/sarif"
)

// kinds are the classes as SARIF has them: rules of the tool. The ids are kept: code scanning knows an alert again by them.
var kinds = map[Class]sarif.Rule{
	Public: {
		ID: "countersign/public", Name: "ReachableWithoutToken", Title: "Reachable without a token",
		Help: "Nobody needs a token for the route any more. Confirm the reason that it gives.", Level: "error", Severity: "8.0",
	},
	Reported: {
		ID: "countersign/reported", Name: "RuleOnlyReported", Title: "Rule only reported",
		Help: "The rule of the route decides nothing: everyone gets in, and the log says who would not have.", Level: "error", Severity: "8.0",
	},
	Widened: {
		ID: "countersign/widened", Name: "MoreCallers", Title: "More callers",
		Help: "Callers get in who were refused before. Confirm that they should.", Level: "warning", Severity: "5.0",
	},
	Appeared: {
		ID: "countersign/appeared", Name: "NewRoute", Title: "New route",
		Help: "The route is new. Confirm who may call it.", Level: "warning", Severity: "3.0",
	},
	Narrowed: {
		ID: "countersign/narrowed", Name: "FewerCallers", Title: "Fewer callers",
		Help: "Callers are refused who got in before. Confirm that their clients have what is needed now.", Level: "note", Severity: "1.0",
	},
	Vanished: {
		ID: "countersign/vanished", Name: "RouteGone", Title: "Route is gone",
		Help: "The route is not served any more. Confirm that nobody calls it.", Level: "note", Severity: "1.0",
	},
	Reworded: {
		ID: "countersign/reworded", Name: "AnotherReason", Title: "Another reason",
		Help: "The route is as open as before, and its reason was changed.", Level: "note", Severity: "1.0",
	},
}

// sarif writes the report as a SARIF 2.1.0 log with one run.
func (r Report) sarif(w io.Writer, version string) error {
	// Runs of the same category replace each other, those of another policy file do not.
	run := sarif.Run{Version: version, Category: "countersign/diff/" + r.Head.Path + "/", Fingerprint: "countersignChange/v1"}
	for _, h := range headlines {
		run.Rules = append(run.Rules, kinds[h.class])
	}
	for _, c := range r.Changes {
		run.Results = append(run.Results, sarif.Result{
			Rule: kinds[c.Class].ID, Text: c.Route + " " + c.sentence(), Fingerprint: c.fingerprint(), File: c.File, Line: c.Line,
		})
	}
	return run.Write(w)
}

// fingerprint is the same for the same change, whatever line it moved to.
func (c Change) fingerprint() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(c.Class), c.pattern, c.Old, c.New}, "\x00")))
	return hex.EncodeToString(sum[:16])
}
