package prove

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// The bad tokens, one file each. The files are the documentation: see [BadToken] for their members.
//
//go:embed zoo
var zooFiles embed.FS

// Needs says what must be at hand to make a bad token.
type Needs string

// What a bad token is made from.
const (
	NeedsNothing   Needs = "nothing"
	NeedsToken     Needs = "token"      // a good token: whoever may ask the issuer for one
	NeedsPublicKey Needs = "public key" // a good token and the issuer's key set, which everybody can have
	NeedsIssuerKey Needs = "issuer key" // a good token and the issuer's private key: in process and the local issuer only
)

// BadToken is a request that must be refused, as data: a token that is wrong in one way, or a good one sent wrongly.
type BadToken struct {
	Name    string   `json:"name"`
	Clause  string   `json:"clause"`  // what a verifier that takes it offends against
	Attack  string   `json:"attack"`  // what such a verifier does
	Needs   Needs    `json:"needs"`   // to make it
	Make    Recipe   `json:"make"`    // from a good token
	Answers []Answer `json:"answers"` // any of them is right
}

// Answer is a refusal. Error is the error parameter of the Bearer challenge (RFC 6750, Section 3); empty asks for a challenge
// without one when Status is 401, and for none in particular otherwise.
type Answer struct {
	Status int    `json:"status"`
	Error  string `json:"error"`
}

// notAdmittedAnswer stands for every answer that a handler does not give: redirects and refusals.
var notAdmittedAnswer = Answer{}

// String is the answer as tables show it.
func (a Answer) String() string {
	switch {
	case a == notAdmittedAnswer:
		return "not admitted"
	case a.Error != "":
		return fmt.Sprintf("%d %s", a.Status, a.Error)
	case a.Status == 401:
		return "401, no error code"
	}
	return fmt.Sprint(a.Status)
}

// Recipe says how a bad token is made from a good one, in the order of its fields. Where a value is the name of a string,
// {iss} is the issuer of the good token, and {scope} its scopes.
type Recipe struct {
	// Header and Claims are merged into those of the good token: null removes a member (RFC 7396). An object with one
	// member stands for a value: {"$now": seconds} for a date, {"$json": text} for that text,
	// {"$foreign": "jwk"} for the public key of zoo/foreign.key, {"$scope": how} for the scopes changed.
	Header map[string]json.RawMessage `json:"header,omitempty"`
	Claims map[string]json.RawMessage `json:"claims,omitempty"`
	// AddHeader and AddClaims are members written behind the others, which may be there already. {nest} is Nest arrays in each other.
	AddHeader string `json:"add_header,omitempty"`
	AddClaims string `json:"add_claims,omitempty"`
	Nest      int    `json:"nest,omitempty"`
	// RawClaims is what is signed instead of the claims, which {claims} is.
	RawClaims string `json:"raw_claims,omitempty"`
	// InvalidUTF8 replaces each U+FFFD of the claims by a byte that is no UTF-8.
	InvalidUTF8 bool `json:"invalid_utf8,omitempty"`
	// Sign says what the signature is: empty keeps the one of the good token. See signatures.go for the others.
	Sign string `json:"sign,omitempty"`
	// Padded writes the parts with the padding of base64.
	Padded bool `json:"padded,omitempty"`
	// Token puts the parts together; empty is {header}.{claims}.{signature}. {fill} is Fill times Filler, or A.
	Token  string `json:"token,omitempty"`
	Fill   int    `json:"fill,omitempty"`
	Filler string `json:"filler,omitempty"`
	// Send are the header fields of the request, and Query its query. Send that is absent is "Authorization: Bearer {token}".
	Send  []string `json:"send"`
	Query string   `json:"query,omitempty"`
}

// BadTokens returns the zoo: every bad token there is a file for, ordered by what it needs and by name.
func BadTokens() []BadToken { return slices.Clone(zoo()) }

var zoo = sync.OnceValue(func() []BadToken {
	entries, err := zooFiles.ReadDir("zoo")
	if err != nil {
		panic("prove: the zoo is embedded and cannot be read: " + err.Error())
	}
	var all []BadToken
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".json") {
			continue
		}
		data, err := zooFiles.ReadFile("zoo/" + entry.Name())
		if err != nil {
			panic("prove: the zoo is embedded and cannot be read: " + err.Error())
		}
		bad, err := parseBadToken(data)
		if err != nil {
			panic("prove: zoo/" + entry.Name() + ": " + err.Error())
		}
		all = append(all, bad)
	}
	order := []Needs{NeedsNothing, NeedsToken, NeedsPublicKey, NeedsIssuerKey}
	slices.SortStableFunc(all, func(a, b BadToken) int { return slices.Index(order, a.Needs) - slices.Index(order, b.Needs) })
	return all
})

// parseBadToken reads one file of the zoo. An unknown member would be a token that is not as bad as its file says.
func parseBadToken(data []byte) (BadToken, error) {
	var bad BadToken
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&bad); err != nil {
		return BadToken{}, err
	}
	switch {
	case bad.Name == "" || bad.Clause == "" || bad.Attack == "":
		return BadToken{}, fmt.Errorf("name, clause or attack is missing")
	case !slices.Contains([]Needs{NeedsNothing, NeedsToken, NeedsPublicKey, NeedsIssuerKey}, bad.Needs):
		return BadToken{}, fmt.Errorf("needs %q", bad.Needs)
	case len(bad.Answers) == 0:
		return BadToken{}, fmt.Errorf("no answer is right")
	}
	return bad, nil
}
