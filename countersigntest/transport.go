package countersigntest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
)

// inProcess answers HTTP requests with a handler.
type inProcess struct{ handler http.Handler }

// RoundTrip serves the request if it is the issuer's. A unit test has no network: any other is an error that says where it was to go.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.URL.Scheme+"://"+r.URL.Host != baseURL {
		return nil, fmt.Errorf("countersigntest: %s is not the issuer of this test, and there is no network", r.URL.Host)
	}
	return serve(p.handler, r), nil
}

// serve calls the handler as a server would.
func serve(h http.Handler, r *http.Request) *http.Response {
	in := r.Clone(r.Context())
	in.RequestURI = in.URL.RequestURI()
	in.RemoteAddr = "192.0.2.1:1234" // RFC 5737: for documentation
	if in.Host == "" {
		in.Host = in.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if !strings.HasPrefix(in.RequestURI, "/") {
		in.RequestURI = "/"
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, in)
	res := w.Result()
	res.Request = r
	return res
}
