package image

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// bases fetches the base image for each platform. It must be named by digest: what a tag names changes, and with it what is built.
func (r Registry) bases(ctx context.Context, base string, platforms []v1.Platform) ([]v1.Image, error) {
	repository, digest, found := strings.Cut(base, "@")
	repository = withoutTag(repository)
	t, err := r.target(ctx, repository)
	if err != nil {
		return nil, fmt.Errorf("base image: %w", err)
	}
	if !found {
		return nil, t.wantDigest(base)
	}
	ref, err := name.NewDigest(repository + "@" + digest)
	if err != nil {
		return nil, fmt.Errorf("base image %q: %w", base, err)
	}
	got, err := remote.Get(t.repository.Digest(ref.DigestStr()), t.options...)
	if err != nil {
		return nil, fmt.Errorf("base image %s: %w", base, t.explain(err, ""))
	}
	var images []v1.Image
	for _, platform := range platforms {
		image, err := choose(got, platform)
		if err != nil {
			return nil, fmt.Errorf("base image %s: %w", base, err)
		}
		if image, err = asOCI(image); err != nil {
			return nil, fmt.Errorf("base image %s: %w", base, t.explain(err, ""))
		}
		images = append(images, image)
	}
	return images, nil
}

// wantDigest says what to write instead of a tag.
func (t target) wantDigest(base string) error {
	ref, err := name.ParseReference(base)
	if err != nil {
		return fmt.Errorf("base image %q: %w", base, err)
	}
	digest, err := t.digestOf(t.repository.Tag(ref.Identifier()))
	if err != nil || digest == "" {
		return fmt.Errorf("base image %q is not named by its digest, without which two builds differ: write name@sha256:…", base)
	}
	return fmt.Errorf("base image %q is not named by its digest, without which two builds differ: write %s@%s, which is what the tag names now", base, base, digest)
}

// withoutTag cuts the tag off: a colon after the last slash.
func withoutTag(reference string) string {
	if colon := strings.LastIndexByte(reference, ':'); colon > strings.LastIndexByte(reference, '/') {
		return reference[:colon]
	}
	return reference
}

// choose takes the platform's image out of an index.
func choose(got *remote.Descriptor, platform v1.Platform) (v1.Image, error) {
	if !got.MediaType.IsIndex() {
		image, err := got.Image()
		if err != nil {
			return nil, err
		}
		config, err := image.ConfigFile()
		if err != nil {
			return nil, err
		}
		if config.OS != platform.OS || config.Architecture != platform.Architecture {
			return nil, fmt.Errorf("it is for %s/%s alone, and %s is wanted; name its index, or other platforms with --platform", config.OS, config.Architecture, platform)
		}
		return image, nil
	}
	index, err := got.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var have []string
	for _, child := range manifest.Manifests {
		if child.Platform == nil || !child.MediaType.IsImage() {
			continue
		}
		if child.Platform.Satisfies(platform) {
			return index.Image(child.Digest)
		}
		have = append(have, child.Platform.String())
	}
	return nil, fmt.Errorf("it is not there for %s; it has %s", platform, strings.Join(have, ", "))
}

// asOCI gives the image OCI's media types. An OCI index with Docker's manifests in it is taken by some registries and not by others.
func asOCI(image v1.Image) (v1.Image, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	var all []mutate.Addendum
	for _, layer := range layers {
		mediaType, err := layer.MediaType()
		if err != nil {
			return nil, err
		}
		if oci, docker := ociTypes[mediaType]; docker {
			mediaType = oci
		}
		all = append(all, mutate.Addendum{Layer: layer, MediaType: mediaType})
	}
	if len(all) == 0 {
		return nil, errors.New("it has no layers")
	}
	made, err := mutate.Append(mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1), all...)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(made, config)
}

var ociTypes = map[types.MediaType]types.MediaType{
	types.DockerLayer:             types.OCILayer,
	types.DockerUncompressedLayer: types.OCIUncompressedLayer,
}
