package callers

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// SecureURL takes https, and http on this machine, where there is no wire to read. Its errors do not repeat the text, which may hold a
// password.
func SecureURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("is no URL; write one such as https://issuer.example.com")
	case u.User != nil:
		return nil, errors.New("has a user or password in it; remove it")
	case u.Scheme == "http" && !IsLoopback(u.Hostname()):
		return nil, errors.New("is plain http and not on this machine; write https")
	}
	return u, nil
}

// IsLoopback says whether a host is this machine. RFC 6761, Section 6.3: localhost and all names beneath it are.
func IsLoopback(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Unmap().IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
