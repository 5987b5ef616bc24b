package image

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
)

// ecrRepository is a repository of Amazon ECR.
type ecrRepository struct {
	client *ecr.Client
	host   host
	name   string
}

// login asks for a token of the registry. Nothing keeps it: when it ends does not matter.
func (e *ecrRepository) login(ctx context.Context) (authn.Authenticator, error) {
	out, err := e.client.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return nil, e.explain("log in", err)
	}
	if len(out.AuthorizationData) == 0 {
		return nil, errors.New("amazon ecr gave no token")
	}
	pair, err := base64.StdEncoding.DecodeString(sdk.ToString(out.AuthorizationData[0].AuthorizationToken))
	name, password, found := strings.Cut(string(pair), ":")
	if err != nil || !found {
		return nil, errors.New("amazon ecr gave a token that is not a name and a password")
	}
	return authn.FromConfig(authn.AuthConfig{Username: name, Password: password}), nil
}

// ensure makes the repository where there is none, with what ECR does not do by itself: images are scanned when they are pushed, and a tag
// never changes what it names. A repository that is there is left as its owner made it.
func (e *ecrRepository) ensure(ctx context.Context, service string) (made bool, err error) {
	found, err := e.client.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RegistryId: &e.host.account, RepositoryNames: []string{e.name}})
	var missing *types.RepositoryNotFoundException
	switch {
	case err == nil && len(found.Repositories) > 0, accessDenied(err):
		return false, nil // who may push need not be allowed to look
	case err != nil && !errors.As(err, &missing):
		return false, e.explain("look for the repository", err)
	}
	_, err = e.client.CreateRepository(ctx, &ecr.CreateRepositoryInput{
		RegistryId: &e.host.account, RepositoryName: &e.name,
		ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: true},
		ImageTagMutability:         types.ImageTagMutabilityImmutable,
		Tags:                       []types.Tag{{Key: sdk.String("managed-by"), Value: sdk.String("countersign")}, {Key: sdk.String(aws.ServiceTag), Value: &service}},
	})
	var exists *types.RepositoryAlreadyExistsException
	if errors.As(err, &exists) { // made by somebody else a moment ago
		return false, nil
	}
	if err != nil {
		return false, e.explain("make the repository", err)
	}
	return true, nil
}

// explain says whose repository it is, and what to do.
func (e *ecrRepository) explain(what string, err error) error {
	return fmt.Errorf("amazon ecr of account %s in %s: cannot %s %s: %w", e.host.account, e.host.region, what, e.name, aws.Explain(err, e.host.region))
}

// accessDenied reports whether AWS refused for want of permission.
func accessDenied(err error) bool {
	return aws.Code(err) == "AccessDeniedException"
}

// Repository is what a registry has of a service.
type Repository struct {
	Name    string
	ECR     bool // whether it is Amazon ECR's: of others nothing is known here
	Found   bool
	Service string // for which it was made, as its tag says; "" for one that countersign did not make
	Images  int    // tagged or not; at most a page of them is counted
}

// FindRepository looks a repository up, where its registry is Amazon ECR.
func (r Registry) FindRepository(ctx context.Context, repository string) (Repository, error) {
	found := Repository{Name: repository}
	e, is, err := r.ecrOf(ctx, repository)
	if err != nil || !is {
		return found, err
	}
	found.ECR = true
	var missing *types.RepositoryNotFoundException
	arn := e.arn()
	tags, err := e.client.ListTagsForResource(ctx, &ecr.ListTagsForResourceInput{ResourceArn: &arn})
	switch {
	case errors.As(err, &missing):
		return found, nil
	case err != nil:
		return found, fmt.Errorf("image: %w", e.explain("list the tags of", err))
	}
	for _, tag := range tags.Tags {
		if sdk.ToString(tag.Key) == aws.ServiceTag {
			found.Service = sdk.ToString(tag.Value)
		}
	}
	out, err := e.client.ListImages(ctx, &ecr.ListImagesInput{RegistryId: &e.host.account, RepositoryName: &e.name})
	switch {
	case errors.As(err, &missing):
		return found, nil
	case err != nil:
		return found, fmt.Errorf("image: %w", e.explain("list the images of", err))
	}
	digests := map[string]bool{}
	for _, id := range out.ImageIds {
		digests[sdk.ToString(id.ImageDigest)] = true
	}
	found.Found, found.Images = true, len(digests)
	return found, nil
}

func (e *ecrRepository) arn() string {
	return "arn:" + aws.Partition(e.host.region) + ":ecr:" + e.host.region + ":" + e.host.account + ":repository/" + e.name
}

// DeleteRepository removes a repository of Amazon ECR, with the images in it only if force says so. One that is gone is no error.
func (r Registry) DeleteRepository(ctx context.Context, repository string, force bool) error {
	e, is, err := r.ecrOf(ctx, repository)
	if err != nil {
		return err
	}
	if !is {
		return fmt.Errorf("image: %s is no repository of Amazon ECR; remove it where it is", repository)
	}
	_, err = e.client.DeleteRepository(ctx, &ecr.DeleteRepositoryInput{RegistryId: &e.host.account, RepositoryName: &e.name, Force: force})
	var missing *types.RepositoryNotFoundException
	if err == nil || errors.As(err, &missing) {
		return nil
	}
	return fmt.Errorf("image: %w", e.explain("remove", err))
}

// ecrOf is the repository of Amazon ECR that a name leads to; is is false for another registry's.
func (r Registry) ecrOf(ctx context.Context, repository string) (e *ecrRepository, is bool, err error) {
	repo, err := name.NewRepository(repository)
	if err != nil {
		return nil, false, fmt.Errorf("image: repository %q: %w", repository, err)
	}
	at, is := parseECR(repo.RegistryStr())
	if !is || r.ECR == nil {
		return nil, false, nil
	}
	client, err := r.ECR(ctx, at.region)
	if err != nil {
		return nil, true, err
	}
	return &ecrRepository{client: client, host: at, name: repo.RepositoryStr()}, true, nil
}
