package manifests

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

// SecretsDir is where a pod finds the credentials of the clients that it uses: clientcredentials.File(SecretsDir + "/" + client).
const SecretsDir = "/var/run/secrets/countersign"

// The values of kubernetes.secrets.
const (
	secretsCSI      = "csi"
	secretsExternal = "external-secrets"
	secretsPlain    = "secret"
)

// The values of kubernetes.identity.
const (
	identityPod  = "pod-identity"
	identityIRSA = "irsa"
)

// consumer is a client whose credentials the pods mount: one of the file, or the one that a service which is called has for this one.
type consumer struct {
	client string // its name in the file, or that of the service; it is the name of its path
	label  string // its name as Kubernetes names volumes and objects
	remote string // the secret in Secrets Manager
	secret string // the Kubernetes Secret
}

var notLabel = regexp.MustCompile(`[^a-z0-9]+`)

// labelOf makes a client's name one that Kubernetes takes: readClient becomes readclient.
func labelOf(name string) string {
	label := notLabel.ReplaceAllString(strings.ToLower(name), "-")
	return strings.Trim(label[:min(len(label), 40)], "-")
}

func (r *renderer) resolveSecrets() {
	clients := map[string]config.Client{}
	for _, c := range r.cfg.Clients {
		clients[c.Name] = c
	}
	taken := map[string]string{}
	for i, name := range r.cfg.Kubernetes.Uses {
		r.consume(fmt.Sprintf("kubernetes.uses[%d]", i), name, clients[name].Secret, taken)
	}
	for i, call := range r.cfg.Kubernetes.Calls {
		if call.Secret != (config.SecretPlace{}) {
			r.consume(fmt.Sprintf("kubernetes.calls[%d]", i), call.Name, call.Secret, taken)
		}
	}
}

// consume has the pods mount credentials under a name.
func (r *renderer) consume(member, name string, at config.SecretPlace, taken map[string]string) {
	c := consumer{client: name, label: labelOf(name)}
	if other, twice := taken[c.label]; twice || c.label == "" {
		r.problems.at(member, "%q and %q have one name in Kubernetes, %q; rename a client", name, other, c.label)
		return
	}
	taken[c.label] = name
	if r.place(&c, member, at) {
		r.consumers = append(r.consumers, c)
	}
}

// place finds where the client's credentials are, and reports whether the pods can mount them from there.
func (r *renderer) place(c *consumer, member string, at config.SecretPlace) bool {
	mode := r.cfg.Kubernetes.Secrets
	switch mode {
	case secretsCSI, secretsExternal:
		if at.SecretsManager == "" {
			r.problems.at(member, "the credentials of %s are not in Secrets Manager, where kubernetes.secrets: %s reads them; give the client secret: {secretsManager: %s/%s}",
				c.client, mode, r.cfg.Service.Name, c.client)
			return false
		}
		c.remote, c.secret = at.SecretsManager, r.cfg.Service.Name+"-"+c.label
	case secretsPlain:
		if at.Kubernetes == "" {
			r.problems.at(member, "the credentials of %s are not in a Kubernetes Secret, where kubernetes.secrets: secret reads them; give the client secret: {kubernetes: %s-%s}",
				c.client, r.cfg.Service.Name, c.label)
			return false
		}
		c.secret = at.Kubernetes
	}
	return true
}

// secrets writes what brings the credentials into the cluster.
func (r *renderer) secrets() {
	if len(r.consumers) == 0 {
		return
	}
	switch r.cfg.Kubernetes.Secrets {
	case secretsCSI:
		r.secretProviderClass()
	case secretsExternal:
		r.externalSecrets()
	}
}

func (r *renderer) secretProviderClass() {
	var objects []providedObject
	for _, c := range r.consumers {
		// The driver writes the files as root and knows no fsGroup; the service runs as another user, alone in its pod.
		objects = append(objects, providedObject{c.remote, "secretsmanager", c.client, "0444"})
	}
	text, err := dump(objects)
	if err != nil {
		r.failed = append(r.failed, fmt.Errorf("manifests: SecretProviderClass: %w", err))
		return
	}
	parameters := map[string]string{"objects": string(text), "region": r.cfg.Pool.Region}
	if r.cfg.Kubernetes.Identity == identityPod {
		parameters["usePodIdentity"] = "true"
	}
	r.add("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", r.meta(r.cfg.Service.Name),
		secretProviderClass{secretProviderSpec{Provider: "aws", Parameters: parameters}})
}

func (r *renderer) externalSecrets() {
	store := awsStore{Service: "SecretsManager", Region: r.cfg.Pool.Region}
	// Without auth the operator reads Secrets Manager as itself: Pod Identity belongs to a pod, and cannot be lent to another.
	if r.cfg.Kubernetes.Identity == identityIRSA {
		store.Auth = &storeAuth{storeJWT{nameRef{r.cfg.Service.Name}}}
	}
	r.add("external-secrets.io/v1", "SecretStore", r.meta(r.cfg.Service.Name), secretStore{secretStoreSpec{storeProvider{store}}})
	for _, c := range r.consumers {
		r.add("external-secrets.io/v1", "ExternalSecret", r.meta(c.secret), externalSecret{externalSecretSpec{
			RefreshInterval: "5m0s",
			SecretStoreRef:  storeRef{"SecretStore", r.cfg.Service.Name},
			Target:          secretTarget{c.secret, "Owner", "Retain"},
			DataFrom:        []secretSource{{remoteRef{c.remote}}},
		}})
	}
}

// secretVolumes are the volumes of the credentials, and where a container has them.
func (r *renderer) secretVolumes() (volumes []volume, mounts []volumeMount) {
	if len(r.consumers) == 0 {
		return nil, nil
	}
	if r.cfg.Kubernetes.Secrets == secretsCSI {
		return []volume{{Name: "credentials", CSI: &csiVolume{
			Driver: "secrets-store.csi.k8s.io", ReadOnly: true,
			VolumeAttributes: map[string]string{"secretProviderClass": r.cfg.Service.Name},
		}}}, []volumeMount{{Name: "credentials", MountPath: SecretsDir, ReadOnly: true}}
	}
	for _, c := range r.consumers {
		name := "credentials-" + c.label
		volumes = append(volumes, volume{Name: name, Secret: &secretVolume{SecretName: c.secret, DefaultMode: 0o440}})
		mounts = append(mounts, volumeMount{Name: name, MountPath: SecretsDir + "/" + c.client, ReadOnly: true})
	}
	return volumes, mounts
}
