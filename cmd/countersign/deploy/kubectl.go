package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// Kubectl runs the user's own kubectl against one context.
type Kubectl struct {
	Context   string // never empty: the current one may change while a deployment runs
	Namespace string
}

// waitForEnd is how long kubectl has after it was asked to stop.
const waitForEnd = 5 * time.Second

// command is kubectl with its context and namespace. What a user must not see on a command line is never among the arguments.
func (k Kubectl) command(ctx context.Context, args ...string) *exec.Cmd {
	all := []string{"--context", k.Context}
	if k.Namespace != "" {
		all = append(all, "--namespace", k.Namespace)
	}
	cmd := exec.CommandContext(ctx, "kubectl", append(all, args...)...)
	cmd.WaitDelay = waitForEnd
	return cmd
}

// run returns kubectl's standard output, and what it warned of.
func (k Kubectl) run(ctx context.Context, stdin []byte, args ...string) (out []byte, warnings []string, err error) {
	cmd := k.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	err = cmd.Run()
	for line := range strings.Lines(stderr.String()) {
		if text, warned := strings.CutPrefix(line, "Warning: "); warned {
			warnings = append(warnings, strings.TrimSpace(text))
		}
	}
	if err != nil {
		return nil, warnings, k.explain(ctx, err, stderr.String())
	}
	return stdout.Bytes(), warnings, nil
}

// get reads objects as JSON.
func (k Kubectl) get(ctx context.Context, into any, args ...string) error {
	out, _, err := k.run(ctx, nil, append(append([]string{"get"}, args...), "--output", "json")...)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(out)) == 0 { // --ignore-not-found
		return nil
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("kubectl get %s: its answer is no JSON: %w", args[0], err)
	}
	return nil
}

// ErrForbidden is that the user's credentials do not allow what was asked.
var ErrForbidden = errors.New("deploy: forbidden")

// errNotFound is that the cluster does not have the object.
var errNotFound = errors.New("deploy: not found")

// explain says what an error of kubectl means, and what to do.
func (k Kubectl) explain(ctx context.Context, err error, stderr string) error {
	said := lastLines(klog.ReplaceAllString(stderr, ""), 6)
	contains := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(stderr, part) {
				return true
			}
		}
		return false
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("kubectl is not on the PATH; install it: https://kubernetes.io/docs/tasks/tools/")
	case contains("context was not found"), contains("does not exist") && contains("context"):
		return fmt.Errorf("kubectl has no context %s; make it with: aws eks update-kubeconfig --name CLUSTER --alias %s\n%s", k.Context, k.Context, said)
	case contains("(NotFound)"):
		return fmt.Errorf("%w: %s", errNotFound, said)
	case contains("(Forbidden)"):
		return fmt.Errorf("%w: the cluster knows you in context %s, and does not let you do this; on EKS, give your IAM principal an access entry with "+
			"AmazonEKSEditPolicy (and for the namespace itself, AmazonEKSClusterAdminPolicy)\n%s", ErrForbidden, k.Context, said)
	case contains("executable") && contains("not found"):
		return fmt.Errorf("context %s gets its credentials from a program that is not on the PATH (for EKS, the AWS CLI): install it\n%s", k.Context, said)
	case contains("Unauthorized", "must be logged in", "getting credentials", "Unable to locate credentials", "ExpiredToken"):
		return fmt.Errorf("the cluster of context %s does not know you: log in to AWS anew (aws sso login), or see whether AWS_PROFILE is the one that the context was made with\n%s", k.Context, said)
	case contains("was refused", "connection refused", "no such host", "i/o timeout", "Unable to connect", "TLS handshake timeout", "context deadline exceeded"):
		return fmt.Errorf("the cluster of context %s does not answer: is there a network or a VPN to it, does cluster.publicAccess let you in, and is the cluster still there?\n%s", k.Context, said)
	case contains("Apply failed with"):
		return fmt.Errorf("somebody else set fields of these objects (kubectl edit, another tool): see which below; --force-conflicts takes them over\n%s", said)
	}
	return fmt.Errorf("kubectl: %w\n%s", err, said)
}

// klog is what kubectl writes for its own developers, before it says the same to its user.
var klog = regexp.MustCompile(`(?m)^[EWI]\d{4} .*\n?`)

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// FindContext returns the context that is to be used: the wanted one, if kubectl has it, or the current one.
func FindContext(ctx context.Context, wanted string) (string, error) {
	out, err := config(ctx, "get-contexts", "--output", "name")
	if err != nil {
		return "", err
	}
	have := strings.Fields(out)
	if wanted != "" {
		for _, name := range have {
			if name == wanted {
				return wanted, nil
			}
		}
		return "", fmt.Errorf("kubectl has no context %q, which kubernetes.context insists on; it has %s; make it with: aws eks update-kubeconfig --name CLUSTER --alias %s",
			wanted, orNone(have), wanted)
	}
	current, err := config(ctx, "current-context")
	if err != nil || strings.TrimSpace(current) == "" {
		return "", fmt.Errorf("kubectl has no current context; it has %s; choose one with: kubectl config use-context NAME, or write kubernetes.context in countersign.yaml", orNone(have))
	}
	return strings.TrimSpace(current), nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// config asks about the user's kubeconfig; no cluster is asked.
func config(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "kubectl", append([]string{"config"}, args...)...)
	cmd.WaitDelay = waitForEnd
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", Kubectl{}.explain(ctx, err, stderr.String())
	}
	return string(out), nil
}

// Server is the address of the Kubernetes API that the context leads to. No cluster is asked.
func (k Kubectl) Server(ctx context.Context) (string, error) {
	out, err := config(ctx, "view", "--minify", "--context", k.Context, "--output", "json")
	if err != nil {
		return "", err
	}
	var view struct {
		Clusters []struct {
			Cluster struct {
				Server string `json:"server"`
			} `json:"cluster"`
		} `json:"clusters"`
	}
	if err := json.Unmarshal([]byte(out), &view); err != nil || len(view.Clusters) == 0 {
		return "", fmt.Errorf("kubectl config view: context %s names no cluster", k.Context)
	}
	return view.Clusters[0].Cluster.Server, nil
}
