package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Watch says how a rollout is watched. Its zero value asks every second, and has no patience.
type Watch struct {
	Interval time.Duration
	Patience time.Duration      // how long a pod may be in a state that waiting seldom mends: a registry may fail for a moment
	Progress func(state string) // is told whenever the state changes; nil for nobody
}

// ErrRollout is that the new pods did not come up; [Kubectl.Explain] finds out why.
var ErrRollout = errors.New("deploy: the rollout failed")

// silence is how many looks in a row may go without an answer: the API server of a managed cluster is replaced now and then, and a VPN breaks off for
// a moment. The rollout goes on meanwhile.
const silence = 10

// Rollout waits until the Deployment runs nothing but its newest revision, until that is seen to be in vain, or until ctx ends.
func (k Kubectl) Rollout(ctx context.Context, name string, watch Watch) (state string, err error) {
	if watch.Interval <= 0 {
		watch.Interval = time.Second
	}
	var broken time.Time // since when
	for silent := 0; ; {
		l, err := k.look(ctx, name)
		switch {
		case Gone(err) && silent < silence:
			silent++
			l.state = "the cluster does not answer; it is asked again"
		case err != nil:
			return state, orTimeout(ctx, err, state)
		default:
			silent = 0
		}
		if watch.Progress != nil && l.state != state {
			watch.Progress(l.state)
		}
		switch state = l.state; {
		case l.done:
			return state, nil
		case l.failed != "":
			return state, fmt.Errorf("%w: %s", ErrRollout, l.failed)
		case silent > 0:
		case l.broken == "":
			broken = time.Time{}
		case broken.IsZero():
			broken = time.Now()
		case time.Since(broken) >= watch.Patience:
			return state, fmt.Errorf("%w: %s", ErrRollout, l.broken)
		}
		select {
		case <-ctx.Done():
			return state, orTimeout(ctx, ctx.Err(), state)
		case <-time.After(watch.Interval):
		}
	}
}

// rolloutLook is what was seen of a rollout.
type rolloutLook struct {
	state  string
	done   bool
	failed string // why no waiting helps
	broken string // why little waiting helps
}

func (k Kubectl) look(ctx context.Context, name string) (l rolloutLook, err error) {
	var d deployment
	if err := k.get(ctx, &d, "deployment", name); err != nil {
		return l, err
	}
	if l.state, l.done, l.failed = d.progress(); !l.done && l.failed == "" {
		l.broken, err = k.brokenPod(ctx, d)
	}
	return l, err
}

// orTimeout tells the end of the time, which is the rollout's, from an interruption, which is the user's.
func orTimeout(ctx context.Context, err error, state string) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: not within the time that --timeout gives (%s)", ErrRollout, state)
	}
	return err
}

// progress reads a Deployment's status as kubectl rollout status does.
func (d deployment) progress() (state string, done bool, failed string) {
	wanted := 1
	if d.Spec.Replicas != nil {
		wanted = *d.Spec.Replicas
	}
	s := d.Status
	if s.ObservedGeneration < d.Metadata.Generation {
		return "the cluster has not looked at it yet", false, ""
	}
	if c := find(s.Conditions, "Progressing"); c.Reason == "ProgressDeadlineExceeded" {
		failed = c.Message
	}
	// A ReplicaSet that may not make pods: a quota, or Pod Security. No waiting mends that.
	if c := find(s.Conditions, "ReplicaFailure"); c.Status == "True" {
		failed = c.Message
	}
	switch {
	case s.UpdatedReplicas < wanted:
		state = fmt.Sprintf("%d of %d new pods are made", s.UpdatedReplicas, wanted)
	case s.AvailableReplicas < s.UpdatedReplicas:
		state = fmt.Sprintf("%d of %d pods are ready", s.AvailableReplicas, s.UpdatedReplicas)
	case s.Replicas > s.UpdatedReplicas:
		state = fmt.Sprintf("%d old pods drain", s.Replicas-s.UpdatedReplicas)
	default:
		return fmt.Sprintf("%d of %d pods are ready", s.AvailableReplicas, wanted), true, ""
	}
	return state, false, failed
}

// hopeless are reasons for which a container waits that end only when somebody changes something.
var hopeless = map[string]bool{
	"ImagePullBackOff": true, "InvalidImageName": true, "ErrImageNeverPull": true, "CreateContainerConfigError": true, "CreateContainerError": true, "RunContainerError": true,
}

// crashes is after how many restarts a container that ends again and again is given up.
const crashes = 3

// brokenPod says why a pod of the newest revision will not come up by itself; "" if none is known to be so.
func (k Kubectl) brokenPod(ctx context.Context, d deployment) (string, error) {
	newest, _, err := k.revisions(ctx, d)
	if err != nil || newest == nil {
		return "", err
	}
	all, err := k.podsOf(ctx, d, *newest)
	if err != nil {
		return "", err
	}
	for _, p := range all {
		for _, c := range p.Status.ContainerStatuses {
			w := c.State.Waiting
			if w != nil && (hopeless[w.Reason] || w.Reason == "CrashLoopBackOff" && c.RestartCount >= crashes) {
				return fmt.Sprintf("pod %s: container %s: %s", p.Metadata.Name, c.Name, w.Reason), nil
			}
		}
	}
	return "", nil
}
