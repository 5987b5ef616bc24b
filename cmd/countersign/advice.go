package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/countersign-dev/countersign"
)

// advice is what to look at, and which line of configuration to change, for each reason of a refusal.
var advice = map[countersign.Reason]string{
	countersign.MissingToken:      "The request had no Bearer token: the client must send Authorization: Bearer, and a proxy in between must not drop it.",
	countersign.MalformedRequest:  "The Authorization header was repeated, too large or not of the form Bearer TOKEN.",
	countersign.AmbiguousPath:     "The path hides dots or slashes behind % escapes, so that two routes can be read in it: send it plainly.",
	countersign.TokenInQuery:      "The token was in the address, where logs keep it: send it in the Authorization header.",
	countersign.MalformedToken:    "This is no compact JWS: it may be cut off, quoted, padded or an opaque token.",
	countersign.BadHeader:         "The header asks for something that is never honoured, or typ names another kind of token; for an issuer without at+jwt set Config.Profile.",
	countersign.BadAlgorithm:      "The issuer signs with an algorithm that Config.Algorithms does not list.",
	countersign.BadClaims:         "A claim is missing, twice there or of the wrong type: it is not an access token of this issuer's profile (Config.Profile).",
	countersign.BadIssuer:         "The token is of another issuer, as of another stage: compare Config.Issuer to the letter, or list it in Config.AlsoTrust.",
	countersign.BadAudience:       "The token is for another service: ask for this one's, or set Config.Audience to what the issuer writes.",
	countersign.BadTokenUse:       "This is an ID token, or another kind: send the access token.",
	countersign.BadClient:         "The client is not in Config.ClientIDs.",
	countersign.Expired:           "The token is over: the client must renew it before it ends, and the clocks must agree (Config.Leeway).",
	countersign.NotYetValid:       "The token is not valid yet: the clocks differ by more than Config.Leeway.",
	countersign.UnknownKey:        "The issuer has no such key: the token is of another issuer or of a key that was withdrawn.",
	countersign.BadSignature:      "The token was changed after it was signed, or another key signed it.",
	countersign.InsufficientScope: "The client asked for too little, or may not have the scope: add it to AllowedOAuthScopes of the app client and to the token request.",
	countersign.ClientNotAllowed:  "The rule names other clients.",
	countersign.KeysUnavailable:   "The issuer's keys cannot be had: see the network, DNS and proxy between the service and the issuer; Config.LastGoodFile helps a start.",
}

// maxLogLine bounds a line of the log that is read.
const maxLogLine = 1 << 20

// explainDecision finds the decision in a log, as slog's text or JSON handler writes it, and says what its reason means.
func explainDecision(log io.Reader, id string, w io.Writer) error {
	if strings.Trim(id, "0123456789abcdef") != "" || len(id) != 16 {
		return fmt.Errorf("--decision %q: an id has 16 digits of 0-9 and a-f, as the refusal's body gives it", id)
	}
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, maxLogLine)
	for lines.Scan() {
		line := lines.Text()
		if !strings.Contains(line, "decision_id="+id) && !strings.Contains(line, `"decision_id":"`+id+`"`) {
			continue
		}
		fmt.Fprintln(w, line)
		for reason, text := range advice {
			if strings.Contains(line, "reason="+string(reason)) || strings.Contains(line, `"reason":"`+string(reason)+`"`) {
				fmt.Fprintf(w, "\nrefused: %s. %s\n", string(reason), text)
			}
		}
		return exitError(exitDifference)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("the log: %w", err)
	}
	return errors.New("the log has no decision " + id + "; refusals are logged at level Info, by Config.Logger")
}
