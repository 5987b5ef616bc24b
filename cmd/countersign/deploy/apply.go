package deploy

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
)

// Applied is what the cluster said to the objects.
type Applied struct {
	Objects  []string // "deployment.apps/orders", in the order of the manifests
	Warnings []string // of the API server, as those of Pod Security
	Asked    bool     // false where a dry run could not ask, because the namespace is still to be made
}

// fieldManager is under whose name the fields of the objects are the service's.
const fieldManager = "countersign"

// Apply brings the objects to the cluster, on the server's side: what others set stays theirs.
func (k Kubectl) Apply(ctx context.Context, manifest []byte, force bool) (Applied, error) {
	args := []string{"apply", "--server-side", "--field-manager", fieldManager, "--filename", "-"}
	if force {
		args = append(args, "--force-conflicts")
	}
	return k.apply(ctx, manifest, args)
}

// Check asks the API server what it would say to the objects, and changes nothing.
func (k Kubectl) Check(ctx context.Context, manifest []byte) (Applied, error) {
	var found struct{ Metadata metadata }
	err := k.get(ctx, &found, "namespace", k.Namespace, "--ignore-not-found")
	if err != nil && !errors.Is(err, ErrForbidden) {
		return Applied{}, err
	}
	if err == nil && found.Metadata.Name == "" {
		return Applied{}, nil
	}
	return k.apply(ctx, manifest, []string{"apply", "--server-side", "--field-manager", fieldManager, "--dry-run=server", "--force-conflicts", "--filename", "-"})
}

// Diff is what [Kubectl.Apply] would change, as the user's own program diff writes it, or what KUBECTL_EXTERNAL_DIFF names; "" for nothing.
func (k Kubectl) Diff(ctx context.Context, manifest []byte) (string, error) {
	k.Namespace = "" // as apply has it
	cmd := k.command(ctx, "diff", "--server-side", "--field-manager", fieldManager, "--force-conflicts", "--filename", "-")
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(manifest), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err == nil || errors.As(err, &exit) && exit.ExitCode() == 1 && stdout.Len() > 0 { // 1 is that something differs
		return stdout.String(), nil
	}
	return "", k.explain(ctx, err, stderr.String())
}

func (k Kubectl) apply(ctx context.Context, manifest []byte, args []string) (Applied, error) {
	// The objects name their namespace; the Namespace has none, and kubectl refuses a flag that says otherwise.
	k.Namespace = ""
	out, warnings, err := k.run(ctx, manifest, args...)
	applied := Applied{Warnings: warnings, Asked: true}
	for line := range strings.Lines(string(out)) {
		if name, _, found := strings.Cut(strings.TrimSpace(line), " "); found {
			applied.Objects = append(applied.Objects, name)
		}
	}
	return applied, err
}

// LoadBalancer is the host name that the controller gave to the Ingress; "" while there is none.
func (k Kubectl) LoadBalancer(ctx context.Context, ingress string) (string, error) {
	var found struct {
		Status struct {
			LoadBalancer struct {
				Ingress []struct{ Hostname, IP string }
			}
		}
	}
	if err := k.get(ctx, &found, "ingress", ingress); err != nil || len(found.Status.LoadBalancer.Ingress) == 0 {
		return "", err
	}
	first := found.Status.LoadBalancer.Ingress[0]
	if first.Hostname == "" {
		return first.IP, nil
	}
	return first.Hostname, nil
}
