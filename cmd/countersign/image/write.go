package image

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// refName is the annotation by which tools find an image in a layout (OCI image specification, "Image Layout").
const refName = "org.opencontainers.image.ref.name"

// WriteLayout writes the index, its images and their bills of materials as an OCI layout. In a layout that is there, what the tag named
// is replaced.
func (i *Image) WriteLayout(dir, tag string) error {
	if err := CheckTag(tag); err != nil {
		return err
	}
	to, err := openLayout(dir)
	if err != nil {
		return fmt.Errorf("image: %w", err)
	}
	if err := to.ReplaceIndex(i.index, match.Annotation(refName, tag), layout.WithAnnotations(map[string]string{refName: tag})); err != nil {
		return fmt.Errorf("image: %w", err)
	}
	for _, sbom := range i.sboms {
		digest, err := sbom.Digest()
		if err != nil {
			return fmt.Errorf("image: %w", err)
		}
		if err := to.ReplaceImage(sbom, match.Digests(digest)); err != nil {
			return fmt.Errorf("image: %w", err)
		}
	}
	return nil
}

func openLayout(dir string) (layout.Path, error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && len(entries) == 0:
		return layout.Write(dir, empty.Index)
	case err != nil:
		return "", err
	}
	to, err := layout.FromPath(dir)
	if err != nil {
		return "", fmt.Errorf("%s has files in it and is no OCI layout; name an empty directory, or a new one", dir)
	}
	return to, nil
}

// WriteTarball writes the image of one platform as docker load and podman load take it, and returns that platform: this machine's where
// it was built, or else the first.
func (i *Image) WriteTarball(file, tag string) (string, error) {
	if err := CheckTag(tag); err != nil {
		return "", err
	}
	n := 0
	for at, platform := range i.Platforms {
		if platform.Platform == "linux/"+runtime.GOARCH {
			n = at
		}
	}
	ref, err := name.NewTag(i.Name + ":" + tag)
	if err != nil {
		return "", fmt.Errorf("image: %w", err)
	}
	return i.Platforms[n].Platform, writeTarball(file, ref, i.images[n])
}

// writeTarball writes beside the file and renames: nobody loads half an image.
func writeTarball(file string, ref name.Tag, image v1.Image) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("image: %w", err)
	}
	defer os.Remove(f.Name())
	if err := errors.Join(tarball.Write(ref, image, f), f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("image: %w", err)
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return fmt.Errorf("image: %w", err)
	}
	return nil
}
