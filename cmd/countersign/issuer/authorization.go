package issuer

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cognito"
)

// An authorization is what the Authorization header of a signed request says:
//
//	AWS4-HMAC-SHA256 Credential=<key id>/<date>/<region>/<service>/aws4_request, SignedHeaders=<a;b;c>, Signature=<64 hex>
type authorization struct {
	accessKeyID, date, region, service, terminator string

	signedHeaders []string // lower case, ascending, each once
	signature     []byte   // 32 bytes
}

// maxAuthorization bounds the header: SDKs stay under 600 bytes.
const maxAuthorization = 4 << 10

// authorizationOf finds the one signature of a request.
func authorizationOf(r *http.Request) (authorization, error) {
	for name := range r.URL.Query() {
		if strings.EqualFold(name, "X-Amz-Signature") || strings.EqualFold(name, "X-Amz-Algorithm") {
			return authorization{}, incompleteSignature("A signature in the query (a presigned request) is not accepted: use the Authorization header.")
		}
	}
	values := r.Header.Values("Authorization")
	switch len(values) {
	case 0:
		return authorization{}, &cognito.APIError{Code: "MissingAuthenticationTokenException", Message: "Missing Authentication Token",
			Status: http.StatusBadRequest}
	case 1:
		return parseAuthorization(values[0])
	}
	return authorization{}, incompleteSignature("The request has more than one Authorization header.")
}

// parseAuthorization is strict: one spelling of each part, so that nothing is signed in one form and read in another.
func parseAuthorization(header string) (a authorization, err error) {
	if len(header) > maxAuthorization {
		return a, incompleteSignature("Authorization header is too long.")
	}
	scheme, rest, _ := strings.Cut(header, " ")
	if scheme != algorithm {
		return a, incompleteSignature("Authorization header requires the algorithm '%s'.", algorithm)
	}
	parameters, err := parseParameters(rest)
	if err != nil {
		return a, err
	}
	scope := strings.Split(parameters["Credential"], "/")
	if len(scope) != 5 || slices.Contains(scope, "") {
		return a, incompleteSignature("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term")
	}
	a.accessKeyID, a.date, a.region, a.service, a.terminator = scope[0], scope[1], scope[2], scope[3], scope[4]
	for _, part := range scope {
		if !isPlain(part) {
			return authorization{}, incompleteSignature("Credential has a character that does not belong in it.")
		}
	}
	a.signedHeaders = strings.Split(parameters["SignedHeaders"], ";")
	for i, name := range a.signedHeaders {
		if !isLowerToken(name) || i > 0 && name <= a.signedHeaders[i-1] {
			return authorization{}, incompleteSignature("SignedHeaders must be lower-case header names, sorted, each once.")
		}
	}
	a.signature, err = hex.DecodeString(parameters["Signature"])
	if err != nil || len(a.signature) != 32 || parameters["Signature"] != strings.ToLower(parameters["Signature"]) {
		return authorization{}, incompleteSignature("Signature must be 64 lower-case hexadecimal digits.")
	}
	return a, nil
}

// parseParameters reads the three key=value pairs in any order, separated by a comma and optional spaces.
func parseParameters(list string) (map[string]string, error) {
	parameters := make(map[string]string, 3)
	for pair := range strings.SplitSeq(list, ",") {
		name, value, found := strings.Cut(strings.Trim(pair, " "), "=")
		if !found {
			return nil, incompleteSignature("Not a valid key=value pair (missing equal-sign) in Authorization header.")
		}
		if _, twice := parameters[name]; twice || !slices.Contains(authorizationParameters, name) {
			return nil, incompleteSignature("Authorization header requires 'Credential', 'SignedHeaders' and 'Signature', each once and nothing else.")
		}
		parameters[name] = value
	}
	for _, name := range authorizationParameters {
		if parameters[name] == "" {
			return nil, incompleteSignature("Authorization header requires '%s' parameter.", name)
		}
	}
	return parameters, nil
}

var authorizationParameters = []string{"Credential", "Signature", "SignedHeaders"}

// isPlain holds for what may be in an error message: key ids, dates, regions and services.
func isPlain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	}) < 0
}

// isLowerToken: RFC 9110, Section 5.1: a field name is a token; here in the lower case that SigV4 asks for.
func isLowerToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}) < 0
}

// clip keeps what a client sent from filling an error message.
func clip(s string) string {
	if len(s) > 32 {
		return s[:32] + "..."
	}
	return s
}

func incompleteSignature(format string, args ...any) error {
	return &cognito.APIError{Code: "IncompleteSignatureException", Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

func invalidSignature(format string, args ...any) error {
	return &cognito.APIError{Code: "InvalidSignatureException", Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

func unrecognizedClient() error {
	return &cognito.APIError{Code: "UnrecognizedClientException", Message: "The security token included in the request is invalid.",
		Status: http.StatusBadRequest}
}
