package cognito

import (
	"bytes"
	"encoding/json"

	"github.com/countersign-dev/countersign/internal/jose"
)

// readHookAnswer reads what a trigger answers: the event with its response filled in. What is beside the response is the
// event's and is not looked at; in accessTokenGeneration a name that is unknown, or written in another case, is an error,
// since a claim that is quietly missing from a token is found late.
func readHookAnswer(text []byte) (AccessTokenGeneration, error) {
	var g AccessTokenGeneration
	top, err := hookMembers(text, "it")
	if err != nil {
		return g, err
	}
	response, err := hookMembers(top["response"], "response")
	if err != nil {
		return g, err
	}
	details := response["claimsAndScopeOverrideDetails"]
	if absent(details) {
		return g, nil
	}
	overrides, err := hookMembers(details, "claimsAndScopeOverrideDetails")
	if err != nil {
		return g, err
	}
	for name := range overrides {
		// Cognito: the other two are for users, and mean nothing for a machine.
		if name != "accessTokenGeneration" && name != "idTokenGeneration" && name != "groupOverrideDetails" {
			return g, errAnswer{"claimsAndScopeOverrideDetails has an unknown member"}
		}
	}
	if absent(overrides["accessTokenGeneration"]) {
		return g, nil
	}
	return readGeneration(overrides["accessTokenGeneration"])
}

func absent(text []byte) bool { return len(text) == 0 || string(text) == "null" }

func readGeneration(text []byte) (AccessTokenGeneration, error) {
	var g AccessTokenGeneration
	members, err := hookMembers(text, "accessTokenGeneration")
	if err != nil {
		return g, err
	}
	for name, value := range members {
		var into any
		switch name {
		case "claimsToAddOrOverride":
			into = &g.ClaimsToAddOrOverride
		case "claimsToSuppress":
			into = &g.ClaimsToSuppress
		case "scopesToAdd":
			into = &g.ScopesToAdd
		case "scopesToSuppress":
			into = &g.ScopesToSuppress
		default:
			return AccessTokenGeneration{}, errAnswer{"accessTokenGeneration has an unknown member"}
		}
		decoder := json.NewDecoder(bytes.NewReader(value))
		decoder.UseNumber() // a number goes into the token as it was written
		if decoder.Decode(into) != nil {
			return AccessTokenGeneration{}, errAnswer{name + " is of another type"}
		}
	}
	return g, nil
}

// hookMembers reads an object by exact names and refuses a name that comes twice.
func hookMembers(text []byte, what string) (map[string][]byte, error) {
	members := make(map[string][]byte)
	o := jose.ReadObject(text)
	for o.Next() {
		members[string(o.Name())] = o.Value().Raw()
	}
	if o.Err() != nil {
		return nil, errAnswer{what + " is not a JSON object, or one that has a name twice, too many members or too much depth"}
	}
	return members, nil
}
