package prove

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign"
)

// judge compares an answer with what the case demands. got is the answer as tables show it, note what is wrong with it.
func (c Case) judge(res *http.Response) (ok bool, got, note string) {
	bearer := bearerChallenge(res.Header.Values("WWW-Authenticate"))
	got = gotten(res.StatusCode, bearer)
	if len(c.Answers) == 0 {
		if note = notAdmitted(res.StatusCode); note == "" {
			note = c.example.undocumented(res)
		}
		if _, hasCode := bearer.params["error"]; res.StatusCode == http.StatusUnauthorized && bearer.present && !hasCode && c.Scopes != nil {
			// RFC 6750, Section 3.1: a challenge without a code is for a request without a token.
			note += "; the challenge says that no token came: something in front may have taken the Authorization header away"
		}
		return note == "", got, note + byAnother(res.StatusCode, bearer)
	}
	for _, answer := range c.Answers {
		if answer == notAdmittedAnswer && turnedAway(res.StatusCode) {
			return true, got, ""
		}
		if answer.Status == res.StatusCode {
			if note = c.challengeFault(answer, bearer); note == "" {
				return true, got, ""
			}
		}
	}
	if note == "" {
		note = notRefused(res.StatusCode) + byAnother(res.StatusCode, bearer)
	}
	return false, got, note
}

// byAnother tells a 403 that is not the guard's. RFC 6750, Section 3: a resource server has a challenge; a firewall has none.
func byAnother(status int, bearer challenge) string {
	if status != http.StatusForbidden || bearer.present {
		return ""
	}
	return "; it has no Bearer challenge: not the guard refused, but a firewall or a gateway in front, or the handler"
}

// turnedAway says whether a status is none of a handler that let the request in. RFC 9110, Section 9.1: to a method that nobody knows, as "get", the answer is
// 501.
func turnedAway(status int) bool {
	return status >= 300 && status < 500 || status == http.StatusNotImplemented
}

// gotten is an answer as tables show it.
func gotten(status int, bearer challenge) string {
	return strings.TrimSpace(fmt.Sprint(status) + " " + bearer.params["error"])
}

// unsettled says whether the answer to the right caller depends on that to nobody: the address was made up, and is not found.
func (c Case) unsettled(res *http.Response) bool {
	return len(c.Answers) == 0 && c.example.Made && res.StatusCode == http.StatusNotFound
}

// notAdmitted is why a status is not the one of a request that reached its handler. A handler may well say 400 to an empty object
// or 409: who is let in is all that is asked here.
func notAdmitted(status int) string {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return "refused, though the policy admits it"
	case status == http.StatusNotFound:
		return "not found: the route is not served here, or its parameters need values that exist"
	case status == http.StatusMethodNotAllowed:
		return "the path is served, the method is not"
	case status >= 500:
		return "the service failed"
	case slices.Contains(beforeTheService, status):
		return "something in front of the service answered, or the service before it looked at the request"
	}
	return ""
}

// beforeTheService are answers about the connection or the form of a request: no handler has been reached.
var beforeTheService = []int{
	http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusMisdirectedRequest, http.StatusRequestHeaderFieldsTooLarge,
}

func notRefused(status int) string {
	switch {
	case status >= 300 && status < 400:
		return "redirected, as to a page where people sign in: a program needs to be told 401"
	case status < 400:
		return "admitted, though it must be refused"
	case status == http.StatusNotFound:
		return "not found: a path that exists refuses before it looks for anything"
	case status >= 500:
		return "the service failed"
	}
	return "refused with another status"
}

// challengeFault is what is wrong with the challenge of a refusal that has the right status.
func (c Case) challengeFault(want Answer, bearer challenge) string {
	code, hasCode := bearer.params["error"]
	switch {
	case want.Status != http.StatusUnauthorized && want.Status != http.StatusForbidden && !bearer.present:
		// RFC 6750, Section 3: other statuses MAY have a challenge.
		return ""
	case !bearer.present:
		// RFC 6750, Section 3: "the resource server MUST include the HTTP 'WWW-Authenticate' response header field".
		return "no WWW-Authenticate: Bearer"
	case want.Error == "" && want.Status == http.StatusUnauthorized && hasCode:
		// RFC 6750, Section 3.1: without a token there is nothing to say about one.
		return "an error code, though no token was sent"
	case want.Error != "" && code != want.Error:
		return fmt.Sprintf("the challenge lacks error=%q", want.Error)
	}
	scope, hasScope := bearer.params["scope"]
	if want.Error != "insufficient_scope" {
		return ""
	}
	if !hasScope && slices.ContainsFunc(c.gate.needs, func(n countersign.Need) bool { return len(n.Scopes) > 0 }) {
		return "the challenge does not name the scope that is needed"
	}
	if hasScope && !c.gate.names(strings.Fields(scope)) {
		return fmt.Sprintf("the challenge names the scope %q", scope)
	}
	return ""
}

// tokenLike is how the header of a JWT begins: {" in base64url.
var tokenLike = regexp.MustCompile(`eyJ[A-Za-z0-9_.=-]*`)

// printable keeps a stranger's text short, on one line and free of tokens: an answer may repeat what it was sent.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	if strings.Contains(s, "eyJ") {
		s = tokenLike.ReplaceAllString(s, "<redacted>")
	}
	if len(s) > 200 {
		s = s[:200] + "..."
	}
	return s
}
