package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// DeleteCluster removes an EKS cluster with the user's own eksctl, whose words go to log. It takes a quarter of an hour.
func DeleteCluster(ctx context.Context, name, region string, log io.Writer) error {
	// Evicting pods one by one waits for every PodDisruptionBudget; nothing is to survive here.
	cmd := exec.CommandContext(ctx, "eksctl", "delete", "cluster", "--name", name, "--region", region, "--disable-nodegroup-eviction", "--wait")
	cmd.WaitDelay = waitForEnd
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(log, &said), io.MultiWriter(log, &said)
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("eksctl is not on the PATH; install it: https://docs.aws.amazon.com/eks/latest/eksctl/installation.html")
	case strings.Contains(said.String(), "ResourceNotFoundException"), strings.Contains(said.String(), "No cluster found"):
		return nil
	}
	return fmt.Errorf("eksctl: %w; its words are above. CloudFormation goes on by itself: look at the stacks eksctl-%s-*, and run this again", err, name)
}
