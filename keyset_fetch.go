package countersign

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Bounds of one request to the issuer, its answer included.
const (
	fetchTimeout     = 5 * time.Second
	maxFetchBody     = 1 << 20
	maxFetchHeader   = 64 << 10
	maxFetchRedirect = 3
)

var (
	errRedirect  = errors.New("redirect to another origin refused")
	errRedirects = errors.New("too many redirects")
	errNotHTTP   = errors.New("answer is not HTTP")
	errHeader    = errors.New("header of the answer is too long")
)

// document is the answer to one request.
type document struct {
	body   []byte
	maxAge time.Duration // of Cache-Control; negative when the answer states none
}

// statusError is an answer other than 200.
type statusError struct {
	status     int
	retryAfter time.Duration
}

func (e *statusError) Error() string { return "answered " + strconv.Itoa(e.status) }

// fetcher asks the issuer. It follows no redirect to another origin, keeps no cookies, and reads no more than its bounds.
type fetcher struct {
	client *http.Client
	owned  bool // the transport is ours to close
}

func newFetcher(client *http.Client) *fetcher {
	f := &fetcher{}
	if client == nil {
		f.owned = true
		client = &http.Client{}
		if base, ok := http.DefaultTransport.(*http.Transport); ok {
			transport := base.Clone()
			transport.MaxResponseHeaderBytes = maxFetchHeader
			client.Transport = transport
		}
	}
	own := *client
	own.Jar = nil
	// A key set is believed because of the name in its address. A redirect elsewhere, or down to plain http,
	// would let whoever controls one URL of the issuer's host choose the keys.
	own.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > maxFetchRedirect {
			return errRedirects
		}
		if from := via[0].URL; r.URL.Scheme != from.Scheme || r.URL.Host != from.Host {
			return errRedirect
		}
		return nil
	}
	f.client = &own
	return f
}

// get returns the document at address. Its errors hold nothing of the answer but the status.
func (f *fetcher) get(ctx context.Context, address string) (document, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return document{}, errors.New("not a URL")
	}
	request.Header.Set("Accept", "application/json, application/jwk-set+json")
	response, err := f.client.Do(request)
	if err != nil {
		if response != nil {
			response.Body.Close()
		}
		return document{}, fetchCause(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return document{}, &statusError{response.StatusCode, retryAfter(response.Header)}
	}
	// The deadline holds for the body too: a body that drips is cut off with the rest.
	body, err := io.ReadAll(io.LimitReader(response.Body, maxFetchBody+1))
	if err != nil {
		return document{}, fetchCause(err)
	}
	if len(body) > maxFetchBody {
		return document{}, fmt.Errorf("answer is longer than %d bytes", maxFetchBody)
	}
	return document{body, maxAge(response.Header)}, nil
}

func (f *fetcher) close() {
	if f.owned {
		f.client.CloseIdleConnections()
	}
}

// fetchCause returns why a request failed, without the address (which a document may have chosen) and without the
// bytes that net/http quotes from an answer that is not HTTP.
func fetchCause(err error) error {
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err
	}
	var operation *net.OpError
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no whole answer in time: %w", context.DeadlineExceeded)
	case errors.As(err, &operation), errors.As(err, &lookup), errors.As(err, &certificate):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, errRedirect), errors.Is(err, errRedirects):
		return err
	}
	text := err.Error()
	if strings.Contains(text, "response headers exceeded") {
		return errHeader
	}
	if strings.Contains(text, "malformed") || strings.Contains(text, "transport connection broken") {
		return errNotHTTP
	}
	if before, _, quotes := strings.Cut(text, `"`); quotes {
		return errors.New(strings.TrimRight(before, " :"))
	}
	return err
}

// maxAge returns the max-age of Cache-Control (RFC 9111, Section 5.2.2.1), or a negative duration without one.
func maxAge(header http.Header) time.Duration {
	for _, line := range header.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			if !strings.EqualFold(name, "max-age") {
				continue
			}
			if age, ok := deltaSeconds(strings.Trim(value, `"`)); ok {
				return age
			}
		}
	}
	return -1
}

// retryAfter returns Retry-After in its form of seconds (RFC 9110, Section 10.2.3), or zero.
func retryAfter(header http.Header) time.Duration {
	wait, _ := deltaSeconds(header.Get("Retry-After"))
	return wait
}

// deltaSeconds reads RFC 9111, Section 1.2.2: digits alone, and a number too great stands for a great one.
func deltaSeconds(text string) (time.Duration, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	const most = 1 << 31
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > most {
		n = most
	}
	return time.Duration(n) * time.Second, true
}
