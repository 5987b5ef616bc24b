package provision

import (
	"context"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
)

// withStage returns the version that has the stage, or "". A stage is on one version at most.
func withStage(versions map[string][]string, stage string) string {
	for id, stages := range versions {
		if slices.Contains(stages, stage) {
			return id
		}
	}
	return ""
}

// Stage puts the credential beside the current one, as AWSPENDING.
func (p secretsManager) Stage(ctx context.Context, _ Stored, next Credential) error {
	data, err := next.encode()
	if err != nil {
		return err
	}
	_, err = p.api.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: &p.name, SecretString: sdk.String(string(data)), VersionStages: []string{stagePending},
	})
	return aws.Explain(err, p.region)
}

// Promote makes the staged version the current one. Secrets Manager moves AWSPREVIOUS to the one that was.
func (p secretsManager) Promote(ctx context.Context, _ Stored) error {
	current, pending, err := p.stages(ctx)
	if err != nil || pending == "" || current == pending {
		return err
	}
	_, err = p.api.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: &p.name, VersionStage: sdk.String(stageCurrent), MoveToVersionId: &pending, RemoveFromVersionId: &current,
	})
	if err == nil {
		return nil
	}
	// An attempt whose answer was lost may have moved it, and the next attempt is refused then.
	if now, _, errNow := p.stages(ctx); errNow == nil && now == pending {
		return nil
	}
	return aws.Explain(err, p.region)
}

func (p secretsManager) stages(ctx context.Context) (current, pending string, err error) {
	d, err := p.api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &p.name})
	if err != nil {
		return "", "", aws.Explain(err, p.region)
	}
	return withStage(d.VersionIdsToStages, stageCurrent), withStage(d.VersionIdsToStages, stagePending), nil
}

// endRotation writes what is left of a rotation by the same stages, and takes AWSPENDING away: the next rotation would take
// what has it for its own. Until AWSCURRENT has moved, what is current still says that the rotation is under way, so that a run
// that is cut off before does all of it again.
func (p secretsManager) endRotation(ctx context.Context, before Stored, c Credential) error {
	if err := p.Stage(ctx, before, c); err != nil {
		return err
	}
	if err := p.Promote(ctx, before); err != nil {
		return err
	}
	_, pending, err := p.stages(ctx)
	if err != nil || pending == "" {
		return err
	}
	_, err = p.api.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: &p.name, VersionStage: sdk.String(stagePending), RemoveFromVersionId: &pending,
	})
	if err == nil {
		return nil
	}
	if _, pending, errNow := p.stages(ctx); errNow == nil && pending == "" {
		return nil
	}
	return aws.Explain(err, p.region)
}

// Soak: the Secrets Store CSI driver's documents have it look once an hour.
func (p secretsManager) Soak() time.Duration { return time.Hour }
