package manifests

import (
	"errors"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

// Options are what is known beside the file. The zero value is the strictest.
type Options struct {
	// Issuer is the issuer whose tokens the service takes, as its iss claim has it. Without it, it is the pool of the file,
	// which then has to have an id.
	Issuer string

	// AllowTag accepts an image that is named by a tag alone. A tag can be moved: what runs is then what the registry says on
	// the day that a node pulls it.
	AllowTag bool

	// Policy is who may call which route. With it, Render finds probes that the service would refuse, and public routes that a
	// load balancer which asks for a token would close. It may be nil.
	Policy *countersign.Policy
}

// Render returns the objects of the service in the order in which they are to be applied: what a pod needs stands before
// the pod, and the Ingress before the Deployment, so that the load balancer's readiness gate is put into the first pods.
//
// Cfg is one that [config.Load] returned: the forms of its members are checked already, and their defaults are filled in.
// Image is the reference of the service's image, by digest: registry/repository@sha256:…. The error has every mistake, each
// with the member of the file that is to be changed.
func (o Options) Render(cfg *config.Config, image string) ([]Object, error) {
	r := &renderer{cfg: cfg, options: o, problems: problems{cfg: cfg}}
	r.resolve(image)
	if err := r.problems.err(); err != nil {
		return nil, err
	}
	r.namespace()
	r.serviceAccount()
	r.networkPolicies()
	r.secrets()
	r.service()
	r.ingress()
	r.disruptionBudget()
	r.deployment()
	r.autoscaler()
	if err := errors.Join(r.failed...); err != nil {
		return nil, err
	}
	return r.objects, nil
}

// renderer holds one call of Render.
type renderer struct {
	cfg      *config.Config
	options  Options
	problems problems

	image     reference
	issuer    string
	memory    int64 // limit of a pod, in bytes
	consumers []consumer

	objects []Object
	failed  []error
}

// resolve derives what the objects are made of, and checks all of it: nothing is written from a file with a mistake.
func (r *renderer) resolve(image string) {
	r.checkService()
	r.resolveImage(image)
	r.resolveIssuer()
	r.resolveResources()
	r.resolveSecrets()
	r.checkEnv()
	r.checkEgress()
	r.checkIngress()
	r.checkPolicy()
}

func (r *renderer) add(apiVersion, kind string, meta metadata, value any) {
	o, err := newObject(apiVersion, kind, meta, value)
	if err != nil {
		r.failed = append(r.failed, err)
		return
	}
	r.objects = append(r.objects, o)
}

// The labels that Kubernetes recommends. Only the name is in selectors: a selector is immutable, and one that held the
// version would make every second deployment fail.
const (
	labelName      = "app.kubernetes.io/name"
	labelPartOf    = "app.kubernetes.io/part-of"
	labelManagedBy = "app.kubernetes.io/managed-by"
	labelVersion   = "app.kubernetes.io/version"
)

// ManagedBy is the value of the label app.kubernetes.io/managed-by of every object.
const ManagedBy = "countersign"

func (r *renderer) meta(name string) metadata {
	return metadata{Name: name, Namespace: r.cfg.Kubernetes.Namespace, Labels: r.labels()}
}

func (r *renderer) labels() map[string]string {
	return map[string]string{
		labelName:      r.cfg.Service.Name,
		labelPartOf:    r.cfg.Kubernetes.Namespace,
		labelManagedBy: ManagedBy,
	}
}

func (r *renderer) selector() labelSelector {
	return labelSelector{MatchLabels: map[string]string{labelName: r.cfg.Service.Name}}
}

// scales reports whether a HorizontalPodAutoscaler sets the number of pods.
func (r *renderer) scales() bool {
	return r.cfg.Kubernetes.Replicas.Min < r.cfg.Kubernetes.Replicas.Max
}

func (r *renderer) hasIngress() bool { return r.cfg.Ingress.Host != "" }
