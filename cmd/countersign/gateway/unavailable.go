package gateway

import "net/http"

// unavailable answers for a service that is known to be away, and reports whether it is.
func (g *Gateway) unavailable(w http.ResponseWriter) bool {
	if g.away == nil {
		return false
	}
	why := g.away()
	if why == "" {
		return false
	}
	w.Header().Set("Retry-After", "1")
	refuse(w, http.StatusServiceUnavailable, why)
	return true
}
