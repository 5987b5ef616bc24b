package prove

import (
	"mime"
	"net/http"
	"slices"
	"strings"
)

// Look is what an answer shows of who gave it. The same status from an edge and from the service behind it mostly looks
// different. It is shown, and decides nothing about a case.
type Look struct {
	Server    string `json:"server,omitempty"`    // the header
	Type      string `json:"type,omitempty"`      // media type, without parameters
	Challenge string `json:"challenge,omitempty"` // the Bearer challenge: "Bearer error scope", scheme and names of its parameters
}

// look reads the header only: a body may have another id in each answer.
func look(res *http.Response) Look {
	media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil {
		media = ""
	}
	l := Look{Server: res.Header.Get("Server"), Type: media}
	if bearer := bearerChallenge(res.Header.Values("WWW-Authenticate")); bearer.present {
		words := make([]string, 0, len(bearer.params))
		for name := range bearer.params {
			words = append(words, name)
		}
		slices.Sort(words)
		l.Challenge = strings.Join(append([]string{"Bearer"}, words...), " ")
	}
	return l
}

// cleanLook is look without a token and without anything that a terminal would act upon.
func (r *runner) cleanLook(i int, res *http.Response) Look {
	l := look(res)
	return Look{r.clean(i, l.Server), r.clean(i, l.Type), r.clean(i, l.Challenge)}
}
