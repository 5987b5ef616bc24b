package provision

import (
	"context"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
)

// Stages of a version, as Secrets Manager names them.
const (
	stageCurrent = "AWSCURRENT"
	stagePending = "AWSPENDING"
)

// clientTag names the app client on its secret.
const clientTag = "countersign:client"

// PoolTag names the user pool on the secret of a client: by it destroy tells one environment's secrets from another's.
const PoolTag = "countersign:pool"

// secretsManager keeps a credential in AWS Secrets Manager.
type secretsManager struct {
	api             *secretsmanager.Client
	name            string
	service, client string
	region          string
}

func (p secretsManager) String() string { return "secret " + p.name + " of Secrets Manager" }

func (p secretsManager) Read(ctx context.Context) (Stored, error) {
	d, err := p.api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &p.name})
	if aws.Code(err) == "ResourceNotFoundException" {
		return Stored{}, nil
	}
	if err != nil {
		return Stored{}, aws.Explain(err, p.region)
	}
	stored := Stored{Found: true, Leaving: d.DeletedDate != nil}
	for _, tag := range d.Tags {
		switch key, value := sdk.ToString(tag.Key), sdk.ToString(tag.Value); {
		case key == PoolTag:
			stored.pool = value
		case key == ServiceTag && value != p.service:
			stored.Foreign = fmt.Sprintf("has the tag %s=%s", ServiceTag, value)
		}
	}
	if stored.Foreign != "" {
		return stored, nil
	}
	if stored.Leaving {
		return stored, nil // its value cannot be read until it is restored
	}
	current, found, err := p.version(ctx, stageCurrent)
	if err != nil || !found {
		return stored, err
	}
	if stored.Credential, err = decodeCredential([]byte(current)); err != nil {
		stored.Foreign = "is " + err.Error()
		return stored, nil
	}
	return stored, p.readPending(ctx, &stored, d.VersionIdsToStages)
}

// readPending reads the version that a rotation has staged. One that is current too has been promoted.
func (p secretsManager) readPending(ctx context.Context, stored *Stored, versions map[string][]string) error {
	current, pending := withStage(versions, stageCurrent), withStage(versions, stagePending)
	if pending == "" || pending == current {
		return nil
	}
	value, found, err := p.version(ctx, stagePending)
	if err != nil || !found {
		return err
	}
	// What another tool has staged is its own business.
	if next, err := decodeCredential([]byte(value)); err == nil && next.Rotation != nil {
		stored.Pending = &next
	}
	return nil
}

// version returns the value of a stage. A secret that infrastructure code made may have none yet.
func (p secretsManager) version(ctx context.Context, stage string) (value string, found bool, err error) {
	out, err := p.api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &p.name, VersionStage: &stage})
	if aws.Code(err) == "ResourceNotFoundException" {
		return "", false, nil
	}
	if err != nil {
		return "", false, aws.Explain(err, p.region)
	}
	return sdk.ToString(out.SecretString), true, nil
}

// Write creates the secret, or puts a version of it. Both carry a token of their own through the SDK's attempts, so that an
// answer that was lost makes no second version.
func (p secretsManager) Write(ctx context.Context, before Stored, c Credential) error {
	data, err := c.encode()
	if err != nil {
		return err
	}
	value := string(data)
	if !before.Found {
		_, err := p.api.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
			Name: &p.name, SecretString: &value,
			Description: sdk.String("Credentials of the app client " + p.client + " of " + p.service + ", written by countersign"),
			Tags:        append([]types.Tag{tag(ServiceTag, p.service), tag(clientTag, p.client)}, poolTags(c)...),
		})
		return aws.Explain(err, p.region)
	}
	if before.Leaving {
		if _, err := p.api.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: &p.name}); err != nil {
			return aws.Explain(err, p.region)
		}
	}
	if before.Credential.Rotation != nil && c.Rotation == nil {
		return p.endRotation(ctx, before, c)
	}
	// Before the value: a run that is cut off between the two finds the value still to be written, and does both.
	if tags := poolTags(c); before.pool != poolOfIssuer(c.Issuer) && len(tags) > 0 {
		if _, err := p.api.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: &p.name, Tags: tags}); err != nil {
			return aws.Explain(err, p.region)
		}
	}
	_, err = p.api.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &p.name, SecretString: &value})
	return aws.Explain(err, p.region)
}

func tag(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

func poolTags(c Credential) []types.Tag {
	if pool := poolOfIssuer(c.Issuer); pool != "" {
		return []types.Tag{tag(PoolTag, pool)}
	}
	return nil
}
