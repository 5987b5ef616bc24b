package cognito

import (
	"errors"
	"net/http"
	"strings"
)

// reasonHeader carries the reason of a refusal when [HandlerConfig].Reasons is set.
const reasonHeader = "countersign-reason"

// explain notes what is answered and why, for the log and the audit trail, and puts the reason on the wire if that was
// asked for. The cause of an internal error is for the log alone.
func (h *handler) explain(w http.ResponseWriter, e *entry, code string, cause error) {
	e.code, e.err = code, cause
	var refusal *TokenError
	if errors.As(cause, &refusal) {
		e.reason, e.err = refusal.Reason, refusal.Err
	}
	if h.config.Reasons && e.reason != "" {
		w.Header().Set(reasonHeader, headerText(e.reason))
	}
}

// headerText makes a text fit for a header: one line of printable ASCII, and no longer than a person reads. Reasons name
// scopes and clients that exist, and an administrator may have given those long names.
func headerText(s string) string {
	const most = 400
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	if len(s) > most {
		s = s[:most] + "..."
	}
	return s
}

// signer names the access key of a signed request (AWS Signature Version 4):
//
//	Authorization: AWS4-HMAC-SHA256 Credential=<access key id>/<date>/…
func signer(r *http.Request) Actor {
	_, after, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	id, _, found := strings.Cut(after, "/")
	if !found {
		id = ""
	}
	return Actor{AccessKeyID: clip(id), Address: r.RemoteAddr}
}

// audit puts a refusal on record. Who may not even ask is always worth a line; a question about something that is not
// there is not.
func (h *handler) audit(r *http.Request, e *entry) {
	if h.service.config.Audit == nil || e.code == "" || e.operation == "" && !e.denied || e.reads && !e.denied {
		return
	}
	if e.actor.Address == "" {
		e.actor.Address = r.RemoteAddr
	}
	h.service.config.Audit(Event{
		Time: h.service.config.Now(), Kind: EventRefusal, Operation: e.operation, RequestID: e.requestID, Actor: e.actor,
		PoolID: e.pool, ClientID: e.client, Code: e.code, Reason: e.reason,
	})
}
