package manifests

import (
	"regexp"
	"strings"
)

// sslPolicy is a security policy of an HTTPS listener that offers no version of TLS before 1.2.
var sslPolicy = regexp.MustCompile(`^ELBSecurityPolicy-(TLS13-1-[23]|TLS-1-2|FS-1-2)-([A-Za-z0-9]+-)*20[0-9]{2}-[0-9]{2}$`)

// checkIngress checks what no one else does: the API server takes any annotation, and the controller reports a wrong one in
// an event, long after kubectl apply said that all is well.
func (r *renderer) checkIngress() {
	in := r.cfg.Ingress
	if !r.hasIngress() {
		return
	}
	if !sslPolicy.MatchString(in.SSLPolicy) {
		r.problems.at("ingress.sslPolicy", "%s is no security policy that keeps to TLS 1.2 and later; write ELBSecurityPolicy-TLS13-1-2-2021-06", in.SSLPolicy)
	}
	if strings.HasSuffix(in.VPCCIDR, "/0") {
		r.problems.at("ingress.vpcCIDR", "%s lets every address reach the pods past the load balancer; write the network of the VPC", in.VPCCIDR)
	}
	r.checkTags()
	if in.JWTValidation {
		r.checkJWT()
	}
}

// checkTags refuses what the controller would read as something else, or as its own.
func (r *renderer) checkTags() {
	for _, name := range sortedKeys(r.cfg.Ingress.Tags) {
		member, value := "ingress.tags."+name, r.cfg.Ingress.Tags[name]
		if strings.Contains(name+value, `\`) {
			r.problems.at(member, "the controller takes a backslash for an escape; take it away")
		}
		if strings.TrimSpace(name) != name || strings.TrimSpace(value) != value {
			r.problems.at(member, "the controller cuts off the space around it; take it away")
		}
		if strings.HasPrefix(name, "elbv2.k8s.aws/") || strings.HasPrefix(name, "ingress.k8s.aws/") {
			r.problems.at(member, "belongs to the controller; choose another name")
		}
	}
}

// secretName is a variable whose name says that its value is a secret.
var secretName = regexp.MustCompile(`(?i)(secret|password|passwd|token|private_?key|api_?key|access_?key)$`)

// checkEnv refuses variables that would contradict the rest of the file, and secrets: the file is in a repository.
func (r *renderer) checkEnv() {
	fromFile := map[string]string{
		"COUNTERSIGN_ISSUER":          "pool.id, or --issuer",
		"COUNTERSIGN_RESOURCE":        "resource.identifier",
		"COUNTERSIGN_CREDENTIALS_DIR": "kubernetes.uses",
		"ADDR":                        "service.port",
		"PORT":                        "service.port",
	}
	for _, name := range sortedKeys(r.cfg.Kubernetes.Env) {
		member := "kubernetes.env." + name
		if place, ours := fromFile[name]; ours {
			r.problems.at(member, "is set from %s; take it away", place)
		}
		if value := r.cfg.Kubernetes.Env[name]; secretName.MatchString(name) && !strings.HasPrefix(value, "/") {
			r.problems.at(member, "is a secret by its name, and whoever reads the Deployment would read it; mount the client's credentials with kubernetes.uses")
		}
	}
}
