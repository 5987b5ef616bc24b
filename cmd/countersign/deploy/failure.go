package deploy

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Failure is why a rollout did not succeed, and what runs all the same.
type Failure struct {
	Reason  string   `json:"reason"`
	Pods    []BadPod `json:"pods"`
	Events  []string `json:"events"`  // of the Deployment, its newest ReplicaSet and their pods, the last ones last
	Running []string `json:"running"` // what serves requests now; null if that could not be read
	Advice  []string `json:"advice"`
}

// BadPod is a pod of the new revision that is not ready.
type BadPod struct {
	Name    string   `json:"name"`
	State   string   `json:"state"`
	Message string   `json:"message,omitempty"`
	Log     []string `json:"log,omitempty"` // the last lines
}

const (
	maxEvents   = 12
	maxBadPods  = 3
	maxLogLines = 20
)

// Explain finds out why the rollout of a Deployment does not succeed. It collects what it can: what cannot be read is said as advice.
func (k Kubectl) Explain(ctx context.Context, name string, reason error) Failure {
	f := Failure{Reason: strings.TrimPrefix(reason.Error(), ErrRollout.Error()+": ")}
	var d deployment
	if err := k.get(ctx, &d, "deployment", name); err != nil {
		f.Advice = append(f.Advice, "the Deployment could not be read: "+err.Error())
		return f
	}
	newest, older, err := k.revisions(ctx, d)
	if err != nil {
		f.Advice = append(f.Advice, "its ReplicaSets could not be read: "+err.Error())
		return f
	}
	involved := []string{d.Metadata.Name}
	if newest != nil {
		involved = append(involved, newest.Metadata.Name)
		involved = append(involved, k.explainPods(ctx, d, *newest, &f)...)
		if c := find(newest.Status.Conditions, "ReplicaFailure"); c.Status == "True" {
			f.advise(c.Message)
		}
	}
	k.explainEvents(ctx, involved, &f)
	if len(f.Advice) == 0 {
		f.advise(f.Reason)
	}
	f.running(newest, older)
	return f
}

// revisions are the Deployment's ReplicaSets: the newest, and those before it.
func (k Kubectl) revisions(ctx context.Context, d deployment) (newest *replicaSet, older []replicaSet, err error) {
	var all replicaSets
	if err := k.get(ctx, &all, "replicasets", "--selector", "app.kubernetes.io/name="+d.Metadata.Name); err != nil {
		return nil, nil, err
	}
	own := slices.DeleteFunc(all.Items, func(r replicaSet) bool { return !r.Metadata.belongs(d.Metadata.UID) })
	slices.SortFunc(own, func(a, b replicaSet) int { return b.revision() - a.revision() })
	if len(own) == 0 {
		return nil, nil, nil
	}
	return &own[0], own[1:], nil
}

func (r replicaSet) revision() int {
	n, _ := strconv.Atoi(r.Metadata.Annotations["deployment.kubernetes.io/revision"])
	return n
}

func (k Kubectl) podsOf(ctx context.Context, d deployment, r replicaSet) ([]pod, error) {
	var all pods
	if err := k.get(ctx, &all, "pods", "--selector", "app.kubernetes.io/name="+d.Metadata.Name); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all.Items, func(p pod) bool { return !p.Metadata.belongs(r.Metadata.UID) }), nil
}

// explainPods describes the pods that are not ready, and returns their names.
func (k Kubectl) explainPods(ctx context.Context, d deployment, newest replicaSet, f *Failure) []string {
	all, err := k.podsOf(ctx, d, newest)
	if err != nil {
		f.Advice = append(f.Advice, "its pods could not be read: "+err.Error())
	}
	var names []string
	for _, p := range all {
		if find(p.Status.Conditions, "Ready").Status == "True" {
			continue
		}
		names = append(names, p.Metadata.Name)
		if len(f.Pods) == maxBadPods {
			continue
		}
		bad := p.describe()
		if lines := k.lastLog(ctx, p); len(lines) > 0 {
			bad.Log = lines
		}
		f.Pods = append(f.Pods, bad)
		f.advise(bad.State + " " + bad.Message)
	}
	return names
}

// targetHealth begins the name of the readiness gate that the AWS Load Balancer Controller puts into pods; its reasons are those of Elastic
// Load Balancing.
const targetHealth = "target-health.elbv2.k8s.aws/"

// describe says in what state a pod hangs.
func (p pod) describe() BadPod {
	bad := BadPod{Name: p.Metadata.Name, State: p.Status.Phase, Message: p.Status.Message}
	if c := find(p.Status.Conditions, "PodScheduled"); c.Status == "False" {
		bad.State, bad.Message = c.Reason, c.Message
	}
	if c := find(p.Status.Conditions, "Ready"); c.Reason == "ReadinessGatesNotReady" {
		bad.State, bad.Message = "runs, and the load balancer sends nothing to it", c.Message
		for _, c := range p.Status.Conditions {
			if strings.HasPrefix(c.Type, targetHealth) && c.Status != "True" {
				bad.Message = c.Reason + ": " + c.Message
			}
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		ended := c.LastState.Terminated
		if c.State.Terminated != nil {
			ended = c.State.Terminated
		}
		switch {
		case c.State.Waiting != nil:
			bad.State, bad.Message = c.State.Waiting.Reason, c.State.Waiting.Message
		case !c.Ready && c.State.Terminated == nil:
			bad.State = "runs, and is not ready"
		}
		if ended != nil {
			bad.Message = strings.TrimSpace(fmt.Sprintf("%s (it ended with exit code %d, %s; %d restarts)", bad.Message, ended.ExitCode, ended.Reason, c.RestartCount))
		}
	}
	return bad
}

// lastLog is the end of what the pod's container wrote before it ended last, or else what it writes now.
func (k Kubectl) lastLog(ctx context.Context, p pod) []string {
	if len(p.Status.ContainerStatuses) == 0 {
		return nil
	}
	c := p.Status.ContainerStatuses[0]
	args := []string{"logs", p.Metadata.Name, "--container", c.Name, "--tail", strconv.Itoa(maxLogLines), "--limit-bytes", "65536"}
	switch {
	case c.RestartCount > 0 && c.State.Terminated == nil:
		args = append(args, "--previous")
	case c.State.Waiting != nil:
		return nil // it never ran
	}
	out, _, err := k.run(ctx, nil, args...)
	if err != nil || len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func (k Kubectl) explainEvents(ctx context.Context, involved []string, f *Failure) {
	var all events
	if err := k.get(ctx, &all, "events"); err != nil {
		f.Advice = append(f.Advice, "the events could not be read: "+err.Error())
		return
	}
	own := slices.DeleteFunc(all.Items, func(e event) bool { return e.Type == "Normal" || !slices.Contains(involved, e.InvolvedObject.Name) })
	slices.SortStableFunc(own, func(a, b event) int { return a.LastTimestamp.Compare(b.LastTimestamp) })
	for _, e := range own[max(0, len(own)-maxEvents):] {
		f.Events = append(f.Events, fmt.Sprintf("%s %s: %s: %s", strings.ToLower(e.InvolvedObject.Kind), e.InvolvedObject.Name, e.Reason, e.Message))
		f.advise(e.Reason + " " + e.Message)
	}
}

// running says what serves requests now: a rollout that takes no pod away before a new one is ready leaves the old ones.
func (f *Failure) running(newest *replicaSet, older []replicaSet) {
	f.Running = []string{}
	if newest != nil && newest.Status.ReadyReplicas > 0 {
		f.Running = append(f.Running, newest.line("new"))
	}
	for _, r := range older {
		if r.Status.ReadyReplicas > 0 {
			f.Running = append(f.Running, r.line("old"))
		}
	}
}

func (r replicaSet) line(age string) string {
	image := ""
	if c := r.Spec.Template.Spec.Containers; len(c) > 0 {
		image = c[0].Image
	}
	return fmt.Sprintf("%s: %s, %d pods ready, image %s", age, r.Metadata.Name, r.Status.ReadyReplicas, image)
}
