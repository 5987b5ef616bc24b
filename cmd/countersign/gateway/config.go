package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

var (
	loopback      = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	loopbackHosts = []string{"localhost", "127.0.0.1", "::1"}
)

// configure checks cfg and builds what the handler reads, and reports every problem at once.
func (g *Gateway) configure(cfg Config) error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("gateway: "+format, args...)) }

	if len(cfg.Routes) == 0 {
		wrong("no routes: name at least one prefix and its upstream")
	}
	for i, r := range cfg.Routes {
		if err := checkPrefix(r.Prefix); err != nil {
			wrong("route %d: prefix %q: %v", i+1, r.Prefix, err)
		}
		if slices.ContainsFunc(cfg.Routes[:i], func(o Route) bool { return o.Prefix == r.Prefix }) {
			wrong("route %d: prefix %q is routed twice", i+1, r.Prefix)
		}
		upstream, err := parseUpstream(r.Upstream)
		if err != nil {
			wrong("route %d: upstream: %v", i+1, err)
			continue
		}
		g.routes = append(g.routes, g.newRoute(r.Prefix, upstream))
	}
	// The longest prefix first, so that the first match is the most specific one.
	slices.SortStableFunc(g.routes, func(a, b route) int { return len(b.prefix) - len(a.prefix) })

	g.allow = slices.Clone(cfg.Allow)
	if len(g.allow) == 0 {
		g.allow = loopback
	}
	for _, p := range g.allow {
		if err := checkNetwork(p); err != nil {
			wrong("allow list: %v", err)
		}
	}

	hosts := cfg.Hosts
	if len(hosts) == 0 {
		hosts = loopbackHosts
	}
	g.hosts = map[string]bool{}
	for _, h := range hosts {
		name := hostname(h)
		if addr, err := netip.ParseAddr(strings.Trim(h, "[]")); err == nil {
			name = addr.String()
		} else if h == "" || strings.ContainsAny(h, ":/@ *") {
			wrong("host %q: want a name or an address without a port", h)
		}
		g.hosts[name] = true
	}

	if cfg.MaxBody < 0 || cfg.UpstreamTimeout < 0 || cfg.DrainTimeout < 0 {
		wrong("a limit is negative: zero asks for the default")
	}
	return errors.Join(errs...)
}

// checkPrefix keeps one spelling for each prefix, so that two routes are equal exactly when their prefixes are.
func checkPrefix(p string) error {
	switch {
	case strings.ContainsAny(p, "*?"):
		// A Prefix path of a Kubernetes Ingress holds no wildcard either; ALB's own spelling is derived from it.
		return errors.New("a prefix already covers all beneath it: leave the wildcard out")
	case !strings.HasPrefix(p, "/"):
		return errors.New("want a path that begins with a slash")
	case p != "/" && strings.HasSuffix(p, "/"):
		return errors.New("leave the last slash out")
	case !unambiguous(&url.URL{Path: p}) || strings.ContainsAny(p, "%;#"):
		return errors.New("want plain segments: no empty one, no dots, no escapes")
	}
	return nil
}

// parseUpstream accepts a bare origin. A path there would change what was routed, and a userinfo would be a secret in a log.
func parseUpstream(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		// The parser's error repeats its input, which may hold a password.
		return nil, errors.New("want a URL such as http://localhost:8080")
	}
	bare := u.User == nil && (u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.Fragment == ""
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || !bare {
		return nil, errors.New("want scheme and host only, such as http://localhost:8080")
	}
	return u, nil
}

func checkNetwork(p netip.Prefix) error {
	switch {
	case !p.IsValid():
		return errors.New("a network is not valid: write one such as 10.0.0.0/8")
	case p.Addr().Is4In6():
		// Peers are compared as IPv4, so that such a network would never match.
		return fmt.Errorf("%v is IPv4 written as IPv6: write the IPv4 network", p)
	case p != p.Masked():
		return fmt.Errorf("%v has bits after its prefix: write %v", p, p.Masked())
	}
	return nil
}
