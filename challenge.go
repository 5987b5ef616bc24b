package countersign

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// problem is the body of a refusal (RFC 9457, Section 3). It says what the challenge says and gives the id under which the
// log has the rest.
type problem struct {
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Error    string `json:"error,omitempty"`
	Scope    string `json:"scope,omitempty"`
	Decision string `json:"decision"`
}

// writeRefusal is the only place where a refusal becomes bytes.
func (g *Guard) writeRefusal(w http.ResponseWriter, r *http.Request, e *Error, decision string) {
	h := w.Header()
	if e.Status == http.StatusServiceUnavailable {
		// No challenge: the token may be good, and a client that got invalid_token would throw it away and
		// ask the issuer, which is in trouble, for another.
		h.Set("Retry-After", strconv.Itoa(retrySeconds(e.retryAfter)))
	} else {
		h.Set("WWW-Authenticate", e.challenge(g.metadataURL, g.primary.resource))
	}
	// RFC 9111, Section 3.5: an answer to one caller is not for the next.
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/problem+json")
	h.Set("X-Content-Type-Options", "nosniff")
	body, err := json.Marshal(problem{http.StatusText(e.Status), e.Status, e.Code, strings.Join(e.scopes, " "), decision})
	if err != nil { // cannot be: the struct has strings and an int
		body = nil
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.Status)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// challenge is the value of WWW-Authenticate.
//
// RFC 6750, Section 3: error, scope and realm are quoted strings. None can break out of its quotes: error is a constant, and a
// scope token has no quote and no backslash (RFC 6749, Section 3.3), which Scope and New have checked, also of the resource.
func (e *Error) challenge(metadataURL, resource string) string {
	var b strings.Builder
	b.WriteString("Bearer")
	separator := " "
	attribute := func(name, value string) {
		if value == "" {
			return
		}
		b.WriteString(separator + name + `="` + value + `"`)
		separator = ", "
	}
	attribute("error", e.Code)
	// "the scope attribute with the scope necessary to access the protected resource"
	attribute("scope", strings.Join(e.scopes, " "))
	// RFC 9728, Section 5.1
	attribute("resource_metadata", metadataURL)
	// RFC 6750, Section 3: "This scheme MUST be followed by one or more auth-param values." Where nothing else is to be said it is the
	// realm (RFC 9110, Section 11.5).
	if separator == " " {
		attribute("realm", resource)
	}
	return b.String()
}

// retrySeconds rounds up: a caller that comes a moment too early comes twice.
func retrySeconds(d time.Duration) int {
	return max(1, int((d+time.Second-1)/time.Second))
}
