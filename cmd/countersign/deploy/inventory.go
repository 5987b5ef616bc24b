package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Inventory is what the cluster has of a service.
type Inventory struct {
	Namespace   string
	Found       bool // the namespace is there
	Owned       bool // it was made by countersign
	Terminating bool // its deletion is under way
	Ingresses   []Ingress
	Own         []string // the service's other objects, such as deployment/orders
	Foreign     []string // what else is in the namespace
	Shared      bool     // some of that is another service's that countersign deploys
}

// Ingress is one of the service's, with what must happen before it is gone.
type Ingress struct {
	Name       string
	Hosts      []string
	Finalizers []string // "ingress.k8s.aws/resources": the load balancer is removed first
}

// Grouped reports whether the load balancer is one that Ingresses share: it goes with the last of them.
func (i Ingress) Grouped() bool {
	return slices.ContainsFunc(i.Finalizers, func(f string) bool { return strings.HasPrefix(f, "group.ingress.k8s.aws/") })
}

// listed are the kinds by which somebody else's things in the namespace are known. Pods are not: their owners are.
const listed = "deployments,statefulsets,daemonsets,cronjobs,jobs,services,persistentvolumeclaims"

type object struct {
	Kind     string   `json:"kind"`
	Metadata metadata `json:"metadata"`
	Status   struct {
		Phase string `json:"phase"`
	} `json:"status"`
	Spec struct {
		Type  string `json:"type"`
		Rules []struct {
			Host string `json:"host"`
		} `json:"rules"`
	} `json:"spec"`
}

// Inventory lists what the cluster has. It changes nothing.
func (k Kubectl) Inventory(ctx context.Context, service string) (Inventory, error) {
	found := Inventory{Namespace: k.Namespace}
	var namespace object
	if err := k.get(ctx, &namespace, "namespace", k.Namespace, "--ignore-not-found"); err != nil || namespace.Metadata.Name == "" {
		return found, err
	}
	found.Found = true
	found.Owned = namespace.Metadata.Labels["app.kubernetes.io/managed-by"] == fieldManager
	found.Terminating = namespace.Metadata.DeletionTimestamp != nil || namespace.Status.Phase == "Terminating"
	var ingresses, others struct {
		Items []object `json:"items"`
	}
	if err := k.get(ctx, &ingresses, "ingress"); err != nil {
		return found, err
	}
	for _, o := range ingresses.Items {
		if !o.isOf(service) {
			found.Foreign = append(found.Foreign, "ingress/"+o.Metadata.Name)
			found.Shared = found.Shared || o.isOurs()
			continue
		}
		one := Ingress{Name: o.Metadata.Name, Finalizers: o.Metadata.Finalizers}
		for _, rule := range o.Spec.Rules {
			one.Hosts = append(one.Hosts, rule.Host)
		}
		found.Ingresses = append(found.Ingresses, one)
	}
	if err := k.get(ctx, &others, listed); err != nil {
		return found, err
	}
	for _, o := range others.Items {
		name := strings.ToLower(o.Kind) + "/" + o.Metadata.Name
		switch {
		case o.isOf(service):
			found.Own = append(found.Own, name)
		case len(o.Metadata.OwnerReferences) == 0: // a Job of a CronJob is its owner's
			found.Foreign = append(found.Foreign, name)
			found.Shared = found.Shared || o.isOurs()
		}
	}
	return found, nil
}

func (o object) isOf(service string) bool {
	return o.Metadata.Labels["app.kubernetes.io/name"] == service && o.isOurs()
}

func (o object) isOurs() bool {
	return o.Metadata.Labels["app.kubernetes.io/managed-by"] == fieldManager
}

// Balancers are the load balancers of others in the cluster: Ingresses, and Services of type LoadBalancer, of other namespaces. A cluster that is
// removed before them leaves them behind.
func (k Kubectl) Balancers(ctx context.Context) ([]string, error) {
	var all struct {
		Items []object `json:"items"`
	}
	own := k.Namespace
	k.Namespace = ""
	if err := k.get(ctx, &all, "ingresses,services", "--all-namespaces"); err != nil {
		return nil, err
	}
	var found []string
	for _, o := range all.Items {
		if o.Metadata.Namespace != own && (o.Kind == "Ingress" || o.Spec.Type == "LoadBalancer") {
			found = append(found, strings.ToLower(o.Kind)+"/"+o.Metadata.Name+" in "+o.Metadata.Namespace)
		}
	}
	return found, nil
}

// DeleteIngress removes an Ingress and waits until its finalizer let go: until then the load balancer and its security groups are there, and
// without the controller nobody would remove them.
func (k Kubectl) DeleteIngress(ctx context.Context, name string, timeout time.Duration) error {
	_, _, err := k.run(ctx, nil, "delete", "ingress", name, "--ignore-not-found", "--wait=true", "--timeout="+timeout.String())
	if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "timed out waiting") {
		return err
	}
	var left object
	if problem := k.get(ctx, &left, "ingress", name, "--ignore-not-found"); problem != nil || left.Metadata.Name == "" {
		return problem
	}
	return fmt.Errorf("the Ingress %s is still there after %s: its finalizer %s waits for the AWS Load Balancer Controller to remove the load balancer. "+
		"Is the controller running (kubectl --context %s -n kube-system get deployment aws-load-balancer-controller), and is the load balancer's deletion protection off? "+
		"Do not remove the finalizer by hand: the load balancer would stay, and be paid for", name, timeout, strings.Join(left.Metadata.Finalizers, ", "), k.Context)
}

// DeleteNamespace removes the namespace with all that is in it, and waits until it is gone.
func (k Kubectl) DeleteNamespace(ctx context.Context, timeout time.Duration) error {
	namespace := k.Namespace
	k.Namespace = ""
	_, _, err := k.run(ctx, nil, "delete", "namespace", namespace, "--ignore-not-found", "--wait=true", "--timeout="+timeout.String())
	if err != nil && strings.Contains(err.Error(), "timed out waiting") {
		return fmt.Errorf("the namespace %s is still there after %s: something in it does not end; see: kubectl --context %s get namespace %s -o yaml: %w", namespace, timeout, k.Context, namespace, err)
	}
	return err
}

// DeleteObjects removes the objects of a manifest, and leaves the namespace to the others in it.
func (k Kubectl) DeleteObjects(ctx context.Context, manifest []byte, timeout time.Duration) error {
	k.Namespace = ""
	_, _, err := k.run(ctx, manifest, "delete", "--ignore-not-found", "--wait=true", "--timeout="+timeout.String(), "--filename", "-")
	return err
}

// Gone reports whether an error says that the cluster itself cannot be asked any more.
func Gone(err error) bool {
	return err != nil && !errors.Is(err, ErrForbidden) && slices.ContainsFunc(goneSigns, func(s string) bool { return strings.Contains(err.Error(), s) })
}

var goneSigns = []string{"does not answer", "kubectl has no context"}
