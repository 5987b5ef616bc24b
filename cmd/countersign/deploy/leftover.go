package deploy

import (
	"context"
	"strings"
	"time"
)

// optional are the kinds that a service has or has not, as its file says. The custom resources of the credentials are not among them: a cluster that
// does not know a kind refuses the question about all.
const optional = "ingresses,horizontalpodautoscalers,poddisruptionbudgets"

// Leftover is an object of the service that an earlier file had.
type Leftover struct{ Kind, Name string }

// String names it as kubectl does.
func (l Leftover) String() string { return strings.ToLower(l.Kind) + "/" + l.Name }

// Leftovers are the objects of a service that are none of those to keep. kubectl apply removes nothing: an Ingress that is not in the file any more
// would serve on.
func (k Kubectl) Leftovers(ctx context.Context, service string, keep func(kind, name string) bool) ([]Leftover, error) {
	var all struct {
		Items []object `json:"items"`
	}
	if err := k.get(ctx, &all, optional, "--selector", "app.kubernetes.io/name="+service+",app.kubernetes.io/managed-by="+fieldManager, "--ignore-not-found"); err != nil {
		return nil, err
	}
	var left []Leftover
	for _, o := range all.Items {
		if !keep(o.Kind, o.Metadata.Name) {
			left = append(left, Leftover{o.Kind, o.Metadata.Name})
		}
	}
	return left, nil
}

// Remove removes a leftover. Of an Ingress the end of its load balancer is waited for.
func (k Kubectl) Remove(ctx context.Context, l Leftover, timeout time.Duration) error {
	if l.Kind == "Ingress" {
		return k.DeleteIngress(ctx, l.Name, timeout)
	}
	_, _, err := k.run(ctx, nil, "delete", strings.ToLower(l.Kind), l.Name, "--ignore-not-found", "--wait=true", "--timeout="+timeout.String())
	return err
}
