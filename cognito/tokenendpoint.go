package cognito

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// maxForm bounds the body of a token request. Fifty scopes of 256 characters, percent-encoded at worst, fit.
const maxForm = 64 << 10

// token serves the token endpoint (RFC 6749, Section 3.2).
func (h *handler) token(w http.ResponseWriter, r *http.Request, e *entry) {
	e.operation = "Token"
	e.actor.Address = r.RemoteAddr
	request, err := readTokenRequest(w, r)
	if err != nil {
		h.writeTokenError(w, e, err)
		return
	}
	h.name(e, request.PoolID, request.ClientID)
	if exceeded := h.config.Quotas.admitToken(e, r, true); exceeded != "" {
		h.writeTokenError(w, e, overQuota(exceeded))
		return
	}
	response, err := h.service.Token(r.Context(), request)
	if err != nil {
		h.writeTokenError(w, e, err)
		return
	}
	body, err := json.Marshal(response)
	if err != nil {
		h.writeTokenError(w, e, err)
		return
	}
	writeToken(w, e, http.StatusOK, body)
}

// readTokenRequest takes a request apart: method, query, form, credentials, in this order.
//
// Cognito: what it answers to a request that is malformed is mostly not documented; invalid_request is documented as
// "missing parameter, unsupported value or malformed", and is the answer here.
func readTokenRequest(w http.ResponseWriter, r *http.Request) (TokenRequest, error) {
	if r.Method != http.MethodPost {
		// RFC 6749, Section 3.2: the client MUST use POST.
		w.Header().Set("Allow", http.MethodPost)
		return TokenRequest{}, &TokenError{Code: oauth.InvalidRequest, Reason: "the method is not POST", Status: http.StatusMethodNotAllowed}
	}
	if err := checkQuery(r.URL.RawQuery); err != nil {
		return TokenRequest{}, err
	}
	form, err := readForm(w, r)
	if err != nil {
		return TokenRequest{}, err
	}
	request := TokenRequest{PoolID: r.PathValue("pool"), GrantType: form.Get("grant_type"), Scope: form.Get("scope"), token: Secret(form.Get("token"))}
	if metadata := form.Get("aws_client_metadata"); metadata != "" {
		_ = json.Unmarshal([]byte(metadata), &request.ClientMetadata) // parseForm has read it
	}
	request.ClientID, request.ClientSecret, err = credentials(r.Header.Values("Authorization"), form)
	return request, err
}

// tokenParameters are those that this endpoint reads. Others are ignored (RFC 6749, Section 3.2).
var tokenParameters = []string{"grant_type", "client_id", "client_secret", "scope", "aws_client_metadata", "token"}

// checkQuery: RFC 6749, Section 2.3.1: the parameters MUST NOT be in the request URI, where logs and proxies keep them.
func checkQuery(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return tokenError(oauth.InvalidRequest, "the query cannot be read")
	}
	for _, name := range tokenParameters {
		if values.Has(name) {
			return tokenError(oauth.InvalidRequest, "a parameter was sent in the query")
		}
	}
	return nil
}

func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, tokenError(oauth.InvalidRequest, "the content type is not application/x-www-form-urlencoded")
	}
	body, tooLarge, err := readAll(w, r, maxForm)
	if tooLarge {
		return nil, &TokenError{Code: oauth.InvalidRequest, Reason: "the body is too large", Status: http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return nil, tokenError(oauth.InvalidRequest, "the body could not be read")
	}
	return parseForm(string(body))
}

// parseForm decodes the form and refuses what RFC 6749 does.
func parseForm(body string) (url.Values, error) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return nil, tokenError(oauth.InvalidRequest, "the form cannot be decoded")
	}
	for _, name := range tokenParameters {
		// RFC 6749, Section 3.2: parameters MUST NOT be included more than once.
		if len(form[name]) > 1 {
			return nil, tokenError(oauth.InvalidRequest, "the parameter "+name+" is repeated")
		}
	}
	if metadata := form.Get("aws_client_metadata"); metadata != "" {
		var object map[string]string
		if json.Unmarshal([]byte(metadata), &object) != nil || object == nil { // null is no object
			return nil, tokenError(oauth.InvalidRequest, "aws_client_metadata is not a JSON object of strings")
		}
	}
	return form, nil
}

// credentials takes the client's id and secret from the Authorization header (client_secret_basic) or from the form
// (client_secret_post).
func credentials(authorization []string, form url.Values) (string, Secret, error) {
	id, secret := plus(form.Get("client_id")), Secret(plus(form.Get("client_secret")))
	switch len(authorization) {
	case 0:
		return id, secret, nil
	case 1:
	default:
		return "", "", tokenError(oauth.InvalidRequest, "the Authorization header is repeated")
	}
	basicID, basicSecret, ok := oauth.ParseBasic(authorization[0])
	if !ok {
		return "", "", tokenError(oauth.InvalidClient, "the Authorization header is not Basic with an id and a secret")
	}
	basicID, basicSecret = plus(basicID), plus(basicSecret)
	// RFC 6749, Section 2.3: the client MUST NOT use more than one authentication method. The id alone is no method;
	// Cognito's examples send it beside the header.
	if secret != "" {
		return "", "", tokenError(oauth.InvalidRequest, "the client authenticates in the header and in the form")
	}
	if id != "" && id != basicID {
		return "", "", tokenError(oauth.InvalidRequest, "the header and the form name different clients")
	}
	return basicID, Secret(basicSecret), nil
}

// plus undoes what form decoding does to a text that was not encoded.
//
// Cognito: its examples are base64(client_id:client_secret), without the form encoding of RFC 6749, Section 2.3.1, and that is
// what the field reports that it wants (ramosbugs/oauth2-rs#64). Both are taken: ids and secrets are of [\w+]+, so that a space
// can be nothing but such a plus, and there is no percent sign to mistake.
func plus(s string) string { return strings.ReplaceAll(s, " ", "+") }

// writeTokenError is the one place that turns an error into an answer of the token endpoint. Cognito: the body has the
// code and nothing else.
func (h *handler) writeTokenError(w http.ResponseWriter, e *entry, err error) {
	var problem *TokenError
	if !errors.As(err, &problem) {
		problem = &TokenError{Code: oauth.ServerError, Status: http.StatusInternalServerError, Err: err}
	}
	h.explain(w, e, problem.Code, problem)
	if problem.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	body := `{"error":"` + problem.Code + `"}`
	if problem.Status == http.StatusTooManyRequests {
		body = rateExceeded
	}
	writeToken(w, e, problem.Status, []byte(body))
}

// rateExceeded is the body of a 429. Cognito: the field has seen the status and these words; the exact body, and whether
// there is a Retry-After, are not documented. Here a client gets nothing that it could come to rely on.
const rateExceeded = `{"message":"Rate exceeded"}`

func overQuota(name string) *TokenError {
	return &TokenError{Code: "rate_exceeded", Reason: "the quota is used up: " + name, Status: http.StatusTooManyRequests}
}

func writeToken(w http.ResponseWriter, e *entry, status int, body []byte) {
	header := w.Header()
	// Cognito: as documented, without a space before charset.
	header.Set("Content-Type", "application/json;charset=UTF-8")
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("x-amz-cognito-request-id", e.requestID)
	// RFC 6749, Section 5.1: no-store, and Pragma for caches of HTTP/1.0.
	header.Set("Cache-Control", "no-store")
	header.Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
