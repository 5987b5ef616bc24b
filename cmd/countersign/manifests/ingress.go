package manifests

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// AnnotationPrefix begins the names of the annotations that the AWS Load Balancer Controller reads.
const AnnotationPrefix = "alb.ingress.kubernetes.io/"

// listener is one element of the annotation listen-ports.
type listener struct {
	HTTP  int `json:"HTTP,omitempty"`
	HTTPS int `json:"HTTPS,omitempty"`
}

func (r *renderer) ingress() {
	if !r.hasIngress() {
		return
	}
	meta := r.meta(r.cfg.Service.Name)
	annotations, err := r.annotations()
	if err != nil {
		r.failed = append(r.failed, err)
		return
	}
	meta.Annotations = annotations
	var paths []ingressPath
	for _, path := range r.cfg.Ingress.Paths {
		// Prefix compares whole segments: /api does not let /apish through.
		paths = append(paths, ingressPath{path, "Prefix", ingressBackend{ingressService{r.cfg.Service.Name, ingressPortName{portName}}}})
	}
	r.add("networking.k8s.io/v1", "Ingress", meta, ingress{ingressSpec{
		IngressClassName: "alb",
		Rules:            []ingressRule{{r.cfg.Ingress.Host, ingressHTTP{paths}}},
	}})
}

// annotations are all that the load balancer is to do. What is safe by the controller's own default is written too where the
// default has changed before, or is a matter of life for the requests.
func (r *renderer) annotations() (map[string]string, error) {
	in := r.cfg.Ingress
	// Port 80 answers with a redirect and nothing else; an HTTP listener without one would serve the API without TLS, and
	// without the check of jwt-validation, which the controller builds for HTTPS listeners only.
	ports, err := marshal([]listener{{HTTP: 80}, {HTTPS: 443}})
	if err != nil {
		return nil, err
	}
	set := map[string]string{
		"scheme":                       in.Scheme,
		"target-type":                  "ip", // straight to the pods: the Service is a ClusterIP, and the readiness gate works
		"listen-ports":                 string(ports),
		"ssl-redirect":                 "443",
		"ssl-policy":                   in.SSLPolicy, // the controller's default still takes TLS 1.0
		"inbound-cidrs":                strings.Join(in.CIDRs, ","),
		"backend-protocol":             "HTTP",
		"healthcheck-path":             r.cfg.Service.Ready,
		"healthcheck-interval-seconds": "10",
		"healthcheck-timeout-seconds":  "5",
		"healthy-threshold-count":      "2",
		"unhealthy-threshold-count":    "2",
		"success-codes":                "200",
		"target-group-attributes":      "deregistration_delay.timeout_seconds=" + strconv.Itoa(deregistrationDelay),
		"load-balancer-attributes": stringMap(map[string]string{
			"idle_timeout.timeout_seconds":                    strconv.Itoa(idleTimeout),
			"routing.http.desync_mitigation_mode":             "strictest",
			"routing.http.drop_invalid_header_fields.enabled": "true",
		}),
		"tags": stringMap(r.tags()),
	}
	if in.Certificate != "" {
		set["certificate-arn"] = in.Certificate
	}
	// An absent annotation leaves an association as it is; taking one away needs the word none.
	if in.WebACL != "" {
		set["wafv2-acl-arn"] = in.WebACL
	}
	if in.Group != "" {
		set["group.name"] = in.Group
	}
	if in.TrustStore != "" {
		text, err := mutualAuthentication(in.TrustStore)
		if err != nil {
			return nil, err
		}
		set["mutual-authentication"] = text
	}
	if in.JWTValidation {
		text, err := r.jwtValidation()
		if err != nil {
			return nil, err
		}
		set["jwt-validation"] = text
	}
	out := map[string]string{}
	for name, value := range set {
		out[AnnotationPrefix+name] = value
	}
	return out, nil
}

// mutualTLS is one element of the annotation mutual-authentication.
type mutualTLS struct {
	Port       int    `json:"port"`
	Mode       string `json:"mode"`
	TrustStore string `json:"trustStore,omitempty"`
}

// mutualAuthentication has the load balancer verify callers' certificates. As with the web ACL, an absent annotation changes nothing.
func mutualAuthentication(trustStore string) (string, error) {
	listener := mutualTLS{443, "verify", trustStore}
	if trustStore == "none" {
		listener = mutualTLS{Port: 443, Mode: "off"}
	}
	text, err := marshal([]mutualTLS{listener})
	return string(text), err
}

// tags are the load balancer's. In a group each Ingress has to say the same of it, so that it is no single service's there.
func (r *renderer) tags() map[string]string {
	tags := map[string]string{"ManagedBy": ManagedBy, "Service": r.cfg.Service.Name}
	if r.cfg.Ingress.Group != "" {
		delete(tags, "Service")
	}
	maps.Copy(tags, r.cfg.Ingress.Tags)
	return tags
}

// stringMap is the controller's stringMap, k=v,k=v, in the order of the names.
func stringMap(values map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		pairs = append(pairs, name+"="+values[name])
	}
	return strings.Join(pairs, ",")
}
