package cognito

import (
	"encoding/json"
	"mime"
	"net/http"
	"strings"
)

// jsonAPIType is the content type of the cognito-idp API, in both directions.
const jsonAPIType = "application/x-amz-json-1.1"

// api serves a call of the JSON API.
func (h *handler) api(w http.ResponseWriter, r *http.Request, e *entry) {
	out, err := h.callAPI(w, r, e)
	if err != nil {
		h.writeAPIError(w, e, err)
		return
	}
	body, err := json.Marshal(out)
	if err != nil {
		h.writeAPIError(w, e, internalError(err))
		return
	}
	h.writeAPI(w, e, http.StatusOK, body)
}

// callAPI runs the fixed pipeline of a call: body, operation, signature, input, rule.
func (h *handler) callAPI(w http.ResponseWriter, r *http.Request, e *entry) (any, error) {
	body, err := h.readBody(w, r)
	if err != nil {
		return nil, err
	}
	o, unknown := findOperation(r.Header.Get("X-Amz-Target"))
	// An unknown operation is authenticated too: what this issuer supports is told to its own callers only.
	if h.config.Authenticate != nil && (o == nil || o.signed) {
		if err := h.config.Authenticate(r, body); err != nil {
			e.denied = true
			return nil, err
		}
		e.actor = h.config.Identify(r)
	}
	if unknown != nil {
		return nil, unknown
	}
	e.operation, e.reads = o.name, o.reads()
	if len(r.Header.Values("X-Amz-Target")) > 1 {
		return nil, apiError(CodeUnknownOperation, "The header X-Amz-Target is repeated.")
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != jsonAPIType {
		return nil, &APIError{Code: CodeUnsupportedMediaType, Message: "The content type must be " + jsonAPIType + ".", Status: http.StatusUnsupportedMediaType}
	}
	known, err := o.shape.read(body)
	if err != nil {
		return nil, err
	}
	input, _ := known.(map[string]any) // every input is a structure
	poolID, _ := input["UserPoolId"].(string)
	clientID, _ := input["ClientId"].(string)
	h.name(e, poolID, clientID)
	if exceeded := h.config.Quotas.admitCall(o, e, r); exceeded != "" {
		return nil, &APIError{Code: CodeTooManyRequests, Message: "Rate exceeded", Status: http.StatusBadRequest, Err: overQuota(exceeded)}
	}
	return o.run(WithActor(r.Context(), e.requestID, e.actor), h.service, input)
}

func (h *handler) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, tooLarge, err := readAll(w, r, h.config.MaxBody)
	switch {
	case tooLarge:
		return nil, &APIError{Code: CodeRequestTooLarge, Message: "The request body is too large.", Status: http.StatusRequestEntityTooLarge}
	case err != nil:
		return nil, apiError(CodeSerialization, "The request body could not be read.")
	}
	return body, nil
}

// writeAPIError is the one place that turns an error into an answer of the JSON API.
func (h *handler) writeAPIError(w http.ResponseWriter, e *entry, err error) {
	problem := asAPIError(err)
	if problem.Code == CodeInternalError && strings.Contains(e.operation, "UserPoolClientSecret") {
		renamed := *problem // Cognito: the model of these operations names it so
		renamed.Code = CodeInternalServer
		problem = &renamed
	}
	h.explain(w, e, problem.Code, problem.Err)
	body, _ := json.Marshal(struct { // two strings always marshal
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{problem.Code, problem.Message})
	h.writeAPI(w, e, problem.Status, body)
}

func (h *handler) writeAPI(w http.ResponseWriter, e *entry, status int, body []byte) {
	header := w.Header()
	header.Set("Content-Type", jsonAPIType)
	header.Set("x-amzn-RequestId", e.requestID)
	// An answer may hold a client secret.
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
