package dev

import (
	"slices"
	"strings"
)

// NoProxy are the variables that keep requests to this machine off the proxy that an environment names, where they do not yet. Go asks
// no proxy for this machine's own names; curl, Python and Node do, and would send it tokens and client secrets.
func NoProxy(getenv func(string) string) [][2]string {
	names := []string{"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}
	if !slices.ContainsFunc(names, func(name string) bool { return getenv(name) != "" }) {
		return nil
	}
	var hosts []string
	for _, name := range []string{"no_proxy", "NO_PROXY"} {
		for host := range strings.FieldsFuncSeq(getenv(name), func(r rune) bool { return r == ',' || r == ' ' }) {
			if host == "*" {
				return nil
			}
			if !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	value := strings.Join(hosts, ",")
	return [][2]string{{"NO_PROXY", value}, {"no_proxy", value}}
}
