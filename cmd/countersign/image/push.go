package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Pushed is what a push led to.
type Pushed struct {
	Reference      string // repository@digest: what a Deployment names
	Tag            string
	RepositoryMade bool // whether the repository was made for it
	AlreadyThere   bool // whether the registry had all of it, under this tag
}

// Push brings the image and its bills of materials to a repository. The tag comes last: what it names is complete.
func (i *Image) Push(ctx context.Context, r Registry, repository, tag string) (Pushed, error) {
	if err := errors.Join(CheckRepository(repository), CheckTag(tag)); err != nil {
		return Pushed{}, err
	}
	t, err := r.target(ctx, repository)
	if err != nil {
		return Pushed{}, fmt.Errorf("image: %w", err)
	}
	pushed := Pushed{Reference: repository + "@" + i.Digest, Tag: tag}
	if t.ecr != nil {
		if pushed.RepositoryMade, err = t.ecr.ensure(ctx, i.Name); err != nil {
			return Pushed{}, fmt.Errorf("image: %w", err)
		}
	}
	there, err := t.digestOf(t.repository.Tag(tag))
	if err != nil {
		return Pushed{}, fmt.Errorf("image: %w", t.explain(err, tag))
	}
	complete, err := t.attached(i)
	if err != nil {
		return Pushed{}, fmt.Errorf("image: %w", t.explain(err, tag))
	}
	if pushed.AlreadyThere = there == i.Digest && complete; pushed.AlreadyThere {
		return pushed, nil
	}
	if there != "" && there != i.Digest && !r.ForceTag {
		return Pushed{}, fmt.Errorf("image: %w", i.taken(t, tag, there))
	}
	if err := t.write(ctx, i, tag); err != nil {
		return Pushed{}, fmt.Errorf("image: %w", t.explain(err, tag))
	}
	return pushed, nil
}

// taken says that a tag names another image. A registry whose tags are mutable would move it without a word, and whoever pulls by the tag would
// get another program from then on.
func (i *Image) taken(t target, tag, there string) error {
	advice := "leave --tag out for a tag of its own, or name a new one"
	if tag == i.Tag() { // nobody asked for it
		advice = "the same source was built otherwise before: with another Go, other flags or platforms; name a tag with --tag"
	}
	return fmt.Errorf("tag %s of %s names another image already, %s; %s. --force-tag moves it, where the registry's tags are mutable", tag, t.repository, there, advice)
}

// write uploads what the registry lacks.
func (t target) write(ctx context.Context, i *Image, tag string) error {
	pusher, err := remote.NewPusher(t.options...)
	if err != nil {
		return err
	}
	if err := pusher.Push(ctx, t.repository.Digest(i.Digest), i.index); err != nil {
		return err
	}
	for n, sbom := range i.sboms {
		if err := t.attach(ctx, pusher, i.Platforms[n], sbom); err != nil {
			return fmt.Errorf("bill of materials of %s: %w", i.Platforms[n].Platform, err)
		}
	}
	return pusher.Push(ctx, t.repository.Tag(tag), i.index)
}

// attach uploads a bill of materials, and has the registry list it.
func (t target) attach(ctx context.Context, pusher *remote.Pusher, platform Platform, sbom v1.Image) error {
	ref := t.repository.Digest(platform.SBOM)
	if err := pusher.Push(ctx, ref, sbom); err != nil {
		return err
	}
	// A push that was cut off may have left the manifest and not the tag that lists it; then Push has nothing to do, and Put does it.
	if listed, err := t.lists(platform); err != nil || listed {
		return err
	}
	return pusher.Put(ctx, ref, sbom)
}

// digestOf is the digest of what the registry has under the name; "" for nothing.
func (t target) digestOf(ref name.Reference) (string, error) {
	found, err := remote.Head(ref, t.options...)
	var answer *transport.Error
	switch {
	case err == nil:
		return found.Digest.String(), nil
	case errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound:
		return "", nil
	}
	return "", err
}

// attached reports whether the registry lists every bill of materials as a referrer of its image.
func (t target) attached(i *Image) (bool, error) {
	for _, platform := range i.Platforms {
		if listed, err := t.lists(platform); err != nil || !listed {
			return false, err
		}
	}
	return true, nil
}

// lists asks the registry for the referrers of one image. Of a registry without that API it asks for the tag that stands in for it.
func (t target) lists(platform Platform) (bool, error) {
	referrers, err := remote.Referrers(t.repository.Digest(platform.Digest), t.options...)
	if err != nil {
		return false, err
	}
	manifest, err := referrers.IndexManifest()
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(manifest.Manifests, func(d v1.Descriptor) bool { return d.Digest.String() == platform.SBOM }), nil
}
