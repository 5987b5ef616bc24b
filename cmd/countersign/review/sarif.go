package review

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// kind is a class as SARIF has it: a rule of the tool. The ids are kept: code scanning knows an alert again by them.
type kind struct {
	id, name, title, help, level string
	severity                     string // as GitHub's code scanning ranks security alerts, from 0.0 to 10.0
}

var kinds = map[Class]kind{
	Public:   {"countersign/public", "ReachableWithoutToken", "Reachable without a token", "Nobody needs a token for the route any more. Confirm the reason that it gives.", "error", "8.0"},
	Reported: {"countersign/reported", "RuleOnlyReported", "Rule only reported", "The rule of the route decides nothing: everyone gets in, and the log says who would not have.", "error", "8.0"},
	Widened:  {"countersign/widened", "MoreCallers", "More callers", "Callers get in who were refused before. Confirm that they should.", "warning", "5.0"},
	Appeared: {"countersign/appeared", "NewRoute", "New route", "The route is new. Confirm who may call it.", "warning", "3.0"},
	Narrowed: {"countersign/narrowed", "FewerCallers", "Fewer callers", "Callers are refused who got in before. Confirm that their clients have what is needed now.", "note", "1.0"},
	Vanished: {"countersign/vanished", "RouteGone", "Route is gone", "The route is not served any more. Confirm that nobody calls it.", "note", "1.0"},
	Reworded: {"countersign/reworded", "AnotherReason", "Another reason", "The route is as open as before, and its reason was changed.", "note", "1.0"},
}

// What is written of SARIF 2.1.0.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool              sarifTool         `json:"tool"`
		AutomationDetails map[string]string `json:"automationDetails"`
		ColumnKind        string            `json:"columnKind"`
		Results           []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string            `json:"id"`
		Name                 string            `json:"name"`
		ShortDescription     sarifText         `json:"shortDescription"`
		FullDescription      sarifText         `json:"fullDescription"`
		Help                 sarifText         `json:"help"`
		DefaultConfiguration map[string]string `json:"defaultConfiguration"`
		Properties           map[string]any    `json:"properties"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID              string            `json:"ruleId"`
		RuleIndex           int               `json:"ruleIndex"`
		Level               string            `json:"level"`
		Message             sarifText         `json:"message"`
		Locations           []sarifLocation   `json:"locations"`
		PartialFingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation map[string]string `json:"artifactLocation"`
		Region           map[string]int    `json:"region"`
	}
)

// sarif is the report as a SARIF 2.1.0 log with one run.
func (r Report) sarif(version string) sarifLog {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: "countersign", Version: version, InformationURI: "https://github.com/countersign-dev/countersign",
		}},
		// SARIF 2.1.0, Section 3.17.3: runs of the same category replace each other, those of another policy file do not.
		AutomationDetails: map[string]string{"id": "countersign/diff/" + r.Head.Path + "/"},
		ColumnKind:        "utf16CodeUnits",
		Results:           []sarifResult{}, // Section 3.14.23: empty says that nothing was found; absent, that nothing was looked for
	}
	index := map[Class]int{}
	for _, h := range headlines {
		k := kinds[h.class]
		index[h.class] = len(run.Tool.Driver.Rules)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: k.id, Name: k.name,
			ShortDescription: sarifText{k.title}, FullDescription: sarifText{k.help}, Help: sarifText{k.help},
			DefaultConfiguration: map[string]string{"level": k.level},
			Properties:           map[string]any{"tags": []string{"security"}, "security-severity": k.severity},
		})
	}
	for _, c := range r.Changes {
		run.Results = append(run.Results, sarifResult{
			RuleID: kinds[c.Class].id, RuleIndex: index[c.Class], Level: kinds[c.Class].level,
			Message: sarifText{sarifMessage.Replace(c.Route + " " + c.sentence())},
			Locations: []sarifLocation{{sarifPhysical{
				ArtifactLocation: map[string]string{"uri": artifactURI(c.File), "uriBaseId": "%SRCROOT%"},
				Region:           map[string]int{"startLine": c.Line},
			}}},
			PartialFingerprints: map[string]string{"countersignChange/v1": c.fingerprint()},
		})
	}
	return sarifLog{"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", "2.1.0", []sarifRun{run}}
}

// SARIF 2.1.0, Section 3.11.5: a brace that is no placeholder is written twice. Section 3.11.6: "[text](target)" is a link in a plain
// text message too, which nobody's route shall become in a viewer.
var sarifMessage = strings.NewReplacer("{", "{{", "}", "}}", "](", "] (")

// fingerprint is the same for the same change, whatever line it moved to.
func (c Change) fingerprint() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(c.Class), c.pattern, c.Old, c.New}, "\x00")))
	return hex.EncodeToString(sum[:16])
}
