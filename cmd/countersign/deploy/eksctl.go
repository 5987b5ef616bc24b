package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Cluster is an EKS cluster as eksctl describes it.
type Cluster struct {
	Endpoint string            // of its Kubernetes API
	Tags     map[string]string // those of its ClusterConfig among them
}

// FindCluster asks the user's own eksctl for a cluster; nil if there is none of the name.
func FindCluster(ctx context.Context, name, region string) (*Cluster, error) {
	cmd := exec.CommandContext(ctx, "eksctl", "get", "cluster", "--name", name, "--region", region, "--output", "json")
	cmd.WaitDelay = waitForEnd
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		if noCluster(out.String() + said.String()) {
			return nil, nil
		}
		return nil, explainEksctl(ctx, err, lastLines(said.String(), 6))
	}
	var found []Cluster
	if err := json.Unmarshal(out.Bytes(), &found); err != nil || len(found) != 1 {
		return nil, fmt.Errorf("eksctl get cluster --name %s: its answer is no list of one cluster", name)
	}
	return &found[0], nil
}

// DeleteCluster removes an EKS cluster with the user's own eksctl, whose words go to log. It takes a quarter of an hour.
func DeleteCluster(ctx context.Context, name, region string, log io.Writer) error {
	// Evicting pods one by one waits for every PodDisruptionBudget; nothing is to survive here.
	cmd := exec.CommandContext(ctx, "eksctl", "delete", "cluster", "--name", name, "--region", region, "--disable-nodegroup-eviction", "--wait")
	cmd.WaitDelay = waitForEnd
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(log, &said), io.MultiWriter(log, &said)
	err := cmd.Run()
	if err == nil || noCluster(said.String()) {
		return nil
	}
	return explainEksctl(ctx, err, fmt.Sprintf("its words are above. CloudFormation goes on by itself: look at the stacks eksctl-%s-*, and run this again", name))
}

// noCluster reports whether eksctl says that the cluster is not there.
func noCluster(said string) bool {
	return strings.Contains(said, "ResourceNotFoundException") || strings.Contains(said, "No cluster found")
}

func explainEksctl(ctx context.Context, err error, advice string) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("eksctl is not on the PATH; install it: https://docs.aws.amazon.com/eks/latest/eksctl/installation.html")
	}
	return fmt.Errorf("eksctl: %w; %s", err, advice)
}
