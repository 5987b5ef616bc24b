package oauth

import (
	"net/netip"
	"strings"
)

// IsLoopback reports whether a URL's host, without its port, is this machine, so that plain http to it crosses no wire.
//
// RFC 6761, Section 6.3: localhost is a loopback address wherever it is looked up. No other name is trusted to be one.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
