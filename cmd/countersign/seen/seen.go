package seen

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxRoutes bounds what is kept of a log: distinct methods and paths, identifiers taken out.
const maxRoutes = 20_000

// Log is what was read: how often each path was asked for, and what was answered.
type Log struct {
	Requests   int // that were read
	Elsewhere  int // requests to other hosts, which are not counted otherwise
	Unreadable int // lines that are no requests
	First      int // the number of the first of those

	visits map[visit]*answers
	full   bool
}

// visit is one path as it was asked for.
type visit struct{ method, path string }

// answers are the statuses that a visit had.
type answers struct {
	count    int
	statuses []int
}

// served says whether somebody was let in and something was there. A redirect and a failure of the service are such answers.
func (a *answers) served() bool {
	return slices.ContainsFunc(a.statuses, func(s int) bool { return s >= 200 && s < 400 || s >= 500 })
}

// exists says whether there was anything at all: somebody was served, or refused for want of a token.
func (a *answers) exists() bool {
	return slices.ContainsFunc(a.statuses, func(s int) bool {
		return s != http.StatusNotFound && s != http.StatusMethodNotAllowed && s != http.StatusBadRequest && s != http.StatusTooManyRequests
	})
}

// Read reads a log: a HAR if it begins with a brace, an access log otherwise. Of a HAR only the requests to hosts that ours
// accepts are kept; an access log is of one service, whatever the hosts in it.
func Read(r io.Reader, ours func(host string) bool) (*Log, error) {
	in := bufio.NewReaderSize(r, maxLine)
	if start, err := in.Peek(3); err == nil && bytes.Equal(start, []byte("\ufeff")) {
		if _, err := in.Discard(3); err != nil {
			return nil, err
		}
	}
	l := &Log{visits: map[visit]*answers{}}
	start, err := in.Peek(1)
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the log is empty")
	}
	if err != nil {
		return nil, err
	}
	if start[0] == '{' {
		err = l.readHAR(in, ours)
	} else {
		err = l.readLines(in)
	}
	switch {
	case err != nil:
		return nil, err
	case l.Requests == 0 && l.Elsewhere > 0:
		return nil, fmt.Errorf("all %d requests of the HAR are to other hosts", l.Elsewhere)
	case l.Requests == 0 && l.Unreadable > 0:
		return nil, fmt.Errorf(`line %d is no request; write an access log in the common or combined format, such as 192.0.2.1 - - [time] "GET /orders HTTP/1.1" 200 12, or a HAR`, l.First)
	case l.Requests == 0:
		return nil, errors.New("the log has no request")
	}
	return l, nil
}

// add counts a request. What cannot have been one, such as the bytes of a TLS handshake, is a line that is not read.
func (l *Log) add(method, target string, status int) bool {
	if method == "" || strings.ContainsFunc(method, func(c rune) bool { return c < 'A' || c > 'Z' }) || status < 100 || status > 999 {
		return false
	}
	u, err := url.Parse(target)
	if err != nil || target != "*" && !strings.HasPrefix(u.Path, "/") {
		return false
	}
	l.Requests++
	if target == "*" || method == http.MethodOptions {
		return true // a browser's preflight (Fetch, Section 3.2.2) is answered beside the routes
	}
	v := visit{method, u.EscapedPath()}
	a := l.visits[v]
	if a == nil {
		if len(l.visits) >= maxRoutes {
			v.path = generalise(v.path) // from here on identifiers are not told apart
			a = l.visits[v]
		}
		if a == nil && len(l.visits) >= 2*maxRoutes {
			l.full = true
			return true
		}
		if a == nil {
			a = &answers{}
			l.visits[v] = a
		}
	}
	if a.count++; !slices.Contains(a.statuses, status) {
		a.statuses = append(a.statuses, status)
	}
	return true
}

// generalise takes out of a path what is likely to be an identifier.
func generalise(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if isIdentifier(segment) {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}

// isIdentifier says whether a segment is more likely the name of a thing than a word of the API: a number, an address, something long,
// or something with many digits.
func isIdentifier(segment string) bool {
	n, digits := len(segment), 0
	for i := range n {
		if segment[i] >= '0' && segment[i] <= '9' {
			digits++
		}
	}
	return n > 0 && digits == n || n > 40 || strings.ContainsAny(segment, "@%") || n >= 8 && digits*4 >= n || n >= 3 && digits*2 >= n
}
