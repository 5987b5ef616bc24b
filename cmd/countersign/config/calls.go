package config

import (
	"fmt"
	"slices"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// mounted is the place from which pods mount credentials, and whether these are there.
func mounted(c *Config, place SecretPlace) (need string, has bool) {
	if c.Kubernetes.Secrets == "secret" {
		return "kubernetes", place.Kubernetes != ""
	}
	return "secretsManager", place.SecretsManager != ""
}

// checkCalls holds each service that is called to being another one, to having something said of it, and its credentials to a place that pods
// can mount.
func (r *reader) checkCalls(c *Config) {
	reads := len(c.Kubernetes.Uses) > 0
	for i, call := range c.Kubernetes.Calls {
		path := fmt.Sprintf("kubernetes.calls[%d]", i)
		need, has := mounted(c, call.Secret)
		reads = reads || call.Secret.SecretsManager != ""
		switch {
		case call.Name == "":
		case call.Name == c.Service.Name && (call.Namespace == "" || call.Namespace == c.Kubernetes.Namespace):
			r.failMember(path+".name", "is this service; write the one that it calls")
		case slices.Contains(c.Kubernetes.Uses, call.Name):
			r.failMember(path+".name", "%s is a client of kubernetes.uses, and both would be mounted under this name; rename the client", document.Quote(call.Name))
		case call.Namespace == "" && call.Secret == (SecretPlace{}):
			r.failMember(path, "nothing is said of %s; write its namespace, or the secret with the credentials for it", document.Plain(call.Name))
		case call.Secret != (SecretPlace{}) && !has:
			r.failMember(path+".secret", "kubernetes.secrets is %s, and the credentials for %s are not kept there; write {%s: …}", c.Kubernetes.Secrets, document.Plain(call.Name), need)
		}
		r.checkPlace(path+".secret", Client{Name: call.Name, Secret: call.Secret}, map[string]string{})
	}
	if reads && c.Kubernetes.Secrets == "csi" && c.Kubernetes.Identity == "none" {
		r.failMember("kubernetes.identity", "is none, and csi reads AWS Secrets Manager as the pod; write pod-identity or irsa")
	}
}
