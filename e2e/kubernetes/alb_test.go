package kubernetes_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
)

// The AWS Load Balancer Controller is not to be had as a Go module. What stands here is a second reading of its documentation
// ("Ingress annotations", v3.5) and of the documented attributes of Elastic Load Balancing, written apart from the generator.

const prefix = "alb.ingress.kubernetes.io/"

// forms are the annotations that the generator may write, each with what its value has to be.
var forms = map[string]func(string) error{
	"backend-protocol":             oneOf("HTTP"),
	"certificate-arn":              matching(`arn:aws(-cn|-us-gov)?:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]+`),
	"group.name":                   matching(`[a-z0-9]([-.a-z0-9]{0,61}[a-z0-9])?`),
	"healthcheck-interval-seconds": between(5, 300),
	"healthcheck-path":             matching(`/[^\s]*`),
	"healthcheck-timeout-seconds":  between(2, 120),
	"healthy-threshold-count":      between(2, 10),
	"inbound-cidrs":                networks,
	"jwt-validation":               jwtValidation,
	"listen-ports":                 listenPorts,
	"load-balancer-attributes": attributes(map[string]func(string) error{
		"idle_timeout.timeout_seconds":                    between(1, 4000),
		"routing.http.desync_mitigation_mode":             oneOf("monitor", "defensive", "strictest"),
		"routing.http.drop_invalid_header_fields.enabled": oneOf("true", "false"),
	}),
	"mutual-authentication":     mutualAuthentication,
	"scheme":                    oneOf("internal", "internet-facing"),
	"ssl-policy":                matching(`ELBSecurityPolicy-[A-Za-z0-9-]+`),
	"ssl-redirect":              between(1, 65535),
	"success-codes":             matching(`[2-4][0-9]{2}(-[2-4][0-9]{2})?(,[2-4][0-9]{2}(-[2-4][0-9]{2})?)*`),
	"tags":                      tags,
	"target-group-attributes":   attributes(map[string]func(string) error{"deregistration_delay.timeout_seconds": between(0, 3600)}),
	"target-type":               oneOf("ip", "instance"),
	"unhealthy-threshold-count": between(2, 10),
	"wafv2-acl-arn":             matching(`none|arn:aws(-cn|-us-gov)?:wafv2:[a-z0-9-]+:[0-9]{12}:regional/webacl/[A-Za-z0-9_-]+/[0-9a-f-]+`),
}

// annotationProblems are what is wrong with the annotations, one by one and together.
func annotationProblems(annotations map[string]string) error {
	var problems []error
	for name, value := range annotations {
		form, known := forms[strings.TrimPrefix(name, prefix)]
		if !known || !strings.HasPrefix(name, prefix) {
			problems = append(problems, fmt.Errorf("%s is no annotation of the controller", name))
			continue
		}
		if err := form(value); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	}
	at := func(name string) string { return annotations[prefix+name] }
	if at("inbound-cidrs") == "" {
		problems = append(problems, errors.New("without inbound-cidrs the world may connect"))
	}
	if !strings.Contains(at("listen-ports"), `"HTTPS":`+at("ssl-redirect")+`}`) {
		problems = append(problems, fmt.Errorf("ssl-redirect leads to %q, where nothing listens with TLS", at("ssl-redirect")))
	}
	// The controller puts the token's check into the rules of HTTPS listeners only.
	if at("jwt-validation") != "" && strings.Contains(at("listen-ports"), `"HTTP":`) && at("ssl-redirect") == "" {
		problems = append(problems, errors.New("the HTTP listener forwards without the check of the token"))
	}
	return errors.Join(problems...)
}

func TestAnnotations(t *testing.T) {
	seen := map[string]bool{}
	each(t, func(t *testing.T, objects []object) {
		for _, o := range objects {
			if o.Kind != "Ingress" {
				continue
			}
			if err := annotationProblems(o.Annotations); err != nil {
				t.Error(err)
			}
			for name := range o.Annotations {
				seen[strings.TrimPrefix(name, prefix)] = true
			}
			ingress := decodeAs[*networkingv1.Ingress](t, o)
			for _, path := range ingress.Spec.Rules[0].HTTP.Paths {
				// The controller refuses a wildcard in a Prefix.
				if *path.PathType != networkingv1.PathTypePrefix || strings.ContainsAny(path.Path, "*?") {
					t.Errorf("path %s of type %s", path.Path, *path.PathType)
				}
			}
		}
	})
	for name := range forms {
		if !seen[name] {
			t.Errorf("no variant has the annotation %s", name)
		}
	}
}

// TestAnnotationsCanBeRefused spoils one annotation at a time, as neither the API server nor the controller's converter notices.
func TestAnnotationsCanBeRefused(t *testing.T) {
	objects := manifests(t, testdata+"/full.good.yaml", image)
	for _, test := range []struct{ name, value, want string }{
		{"listen-port", `[{"HTTPS":443}]`, "is no annotation of the controller"},
		{"listen-ports", `[{"HTTPZ":443}]`, "unknown field"},
		{"listen-ports", `[{"HTTP":80},{"HTTPS":8443}]`, "where nothing listens with TLS"},
		{"listen-ports", `[{"HTTP":80,"HTTPS":443}]`, "one protocol"},
		{"ssl-redirect", "", "where nothing listens with TLS"},
		{"ssl-redirect", "", "forwards without the check of the token"},
		{"inbound-cidrs", "203.0.113.0/99", "invalid CIDR"},
		{"inbound-cidrs", "", "the world may connect"},
		{"jwt-validation", `{"issuer":"https://issuer.example.com"}`, "jwksEndpoint"},
		{"jwt-validation", `{"jwksEndpoint":"https://a.example.com/k","issuer":"https://a.example.com","additionalClaims":[{"name":"exp","format":"single-string","values":["1"]}]}`, "checked in any case"},
		{"jwt-validation", `{"jwksEndpoint":"https://a.example.com/k","issuer":"https://a.example.com","additionalClaims":[{"name":"scope","format":"space-separated-values","values":["a"]}]}`, "scopes are not the load balancer's"},
		{"mutual-authentication", `[{"port":443,"mode":"verify"}]`, "a trust store"},
		{"mutual-authentication", `[{"port":80,"mode":"off"}]`, "port 80"},
		{"group.name", "Partners", "is not of the form"},
		{"load-balancer-attributes", "routing.http.drop_invalid_headers.enabled=true", "no attribute"},
		{"target-group-attributes", "deregistration_delay.timeout_seconds=1h", "invalid syntax"},
		{"tags", "Team=a,b", "is no k=v"},
		{"scheme", "public", "is none of"},
	} {
		t.Run(test.name+" "+test.want, func(t *testing.T) {
			spoilt := map[string]string{}
			for name, value := range only(t, objects, "Ingress").Annotations {
				spoilt[name] = value
			}
			if test.value == "" {
				delete(spoilt, prefix+test.name)
			} else {
				spoilt[prefix+test.name] = test.value
			}
			if err := annotationProblems(spoilt); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the tables say %v, want %q", err, test.want)
			}
		})
	}
}

func oneOf(values ...string) func(string) error {
	return func(text string) error {
		if !contains(values, text) {
			return fmt.Errorf("%q is none of %q", text, values)
		}
		return nil
	}
}

func matching(pattern string) func(string) error {
	form := regexp.MustCompile(`^(?:` + pattern + `)$`)
	return func(text string) error {
		if !form.MatchString(text) {
			return fmt.Errorf("%q is not of the form %s", text, pattern)
		}
		return nil
	}
}

func between(least, most int) func(string) error {
	return func(text string) error {
		n, err := strconv.Atoi(text)
		if err == nil && (n < least || n > most) {
			err = fmt.Errorf("%d is not between %d and %d", n, least, most)
		}
		return err
	}
}

func networks(text string) error {
	for _, cidr := range strings.Split(text, ",") {
		if _, _, err := net.ParseCIDR(cidr); err != nil {
			return err
		}
	}
	return nil
}

func listenPorts(text string) error {
	var listeners []struct{ HTTP, HTTPS int }
	if err := decodeStrictly(text, &listeners); err != nil {
		return err
	}
	for _, l := range listeners {
		if (l.HTTP == 0) == (l.HTTPS == 0) {
			return fmt.Errorf("a listener has one protocol, not %+v", l)
		}
	}
	return nil
}

// mutualAuthentication: "verify" needs a trust store, "off" and "passthrough" have none.
func mutualAuthentication(text string) error {
	var all []struct {
		Port             int
		Mode, TrustStore string
	}
	if err := decodeStrictly(text, &all); err != nil {
		return err
	}
	for _, one := range all {
		if one.Port != 443 {
			return fmt.Errorf("nothing listens with TLS at port %d", one.Port)
		}
		if (one.Mode == "verify") != strings.Contains(one.TrustStore, ":truststore/") || !contains([]string{"off", "verify"}, one.Mode) {
			return fmt.Errorf("mode %s and a trust store %q", one.Mode, one.TrustStore)
		}
	}
	return nil
}

// jwtValidation holds the annotation to the user guide's limits for the token's check.
func jwtValidation(text string) error {
	var c struct {
		JWKSEndpoint     string `json:"jwksEndpoint"`
		Issuer           string `json:"issuer"`
		AdditionalClaims []struct {
			Name, Format string
			Values       []string
		} `json:"additionalClaims"`
	}
	if err := decodeStrictly(text, &c); err != nil {
		return err
	}
	for name, url := range map[string]string{"jwksEndpoint": c.JWKSEndpoint, "issuer": c.Issuer} {
		if !strings.HasPrefix(url, "https://") || len(url) > 256 {
			return fmt.Errorf("%s is %q", name, url)
		}
	}
	for _, claim := range c.AdditionalClaims {
		if contains([]string{"exp", "iss", "nbf", "iat"}, claim.Name) {
			return fmt.Errorf("%s is checked in any case", claim.Name)
		}
		if claim.Name == "scope" || claim.Name == "client_id" {
			return fmt.Errorf("%s: scopes are not the load balancer's to decide", claim.Name)
		}
		if !contains([]string{"single-string", "string-array", "space-separated-values"}, claim.Format) || len(claim.Values) != 1 {
			return fmt.Errorf("claim %+v", claim)
		}
	}
	return nil
}

func decodeStrictly(text string, to any) error {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

func attributes(known map[string]func(string) error) func(string) error {
	return func(text string) error {
		pairs, err := pairsOf(text)
		if err != nil {
			return err
		}
		for name, value := range pairs {
			check, ok := known[name]
			if !ok {
				return fmt.Errorf("%s is no attribute", name)
			}
			if err := check(value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	}
}

func tags(text string) error {
	_, err := pairsOf(text)
	return err
}

func pairsOf(text string) (map[string]string, error) {
	pairs := map[string]string{}
	for _, pair := range strings.Split(text, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" || strings.TrimSpace(pair) != pair {
			return nil, fmt.Errorf("%q is no k=v", pair)
		}
		pairs[name] = value
	}
	return pairs, nil
}

func stringMap(t *testing.T, annotations map[string]string, name string) map[string]string {
	t.Helper()
	pairs, err := pairsOf(annotations[prefix+name])
	if err != nil {
		t.Fatal(err)
	}
	return pairs
}
