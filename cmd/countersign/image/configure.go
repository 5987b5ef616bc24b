package image

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// configure says how the image is run: the program alone, not as root, with its own labels.
func (i *Image) configure(cfg Config, image v1.Image, platform v1.Platform) (v1.Image, error) {
	old, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file := old.DeepCopy()
	file.OS, file.Architecture, file.Variant = platform.OS, platform.Architecture, platform.Variant
	file.Author = ""
	created, err := epoch()
	if err != nil {
		return nil, err
	}
	file.Created = v1.Time{Time: created}
	file.Config.Entrypoint = []string{"/app/" + i.program}
	file.Config.Cmd = nil
	file.Config.User = fmt.Sprintf("%d:%d", user, user)
	file.Config.WorkingDir = "/"
	if len(file.Config.Env) == 0 {
		file.Config.Env = []string{"PATH=/app"}
	}
	if cfg.Port != 0 {
		file.Config.ExposedPorts = map[string]struct{}{strconv.Itoa(cfg.Port) + "/tcp": {}}
	}
	if file.Config.Labels == nil {
		file.Config.Labels = map[string]string{}
	}
	for key, value := range i.labels(cfg) {
		file.Config.Labels[key] = value
	}
	image, err = mutate.ConfigFile(image, file)
	if err != nil {
		return nil, err
	}
	annotated, ok := mutate.Annotations(image, i.labels(cfg)).(v1.Image)
	if !ok {
		return nil, errors.New("the image takes no annotations")
	}
	return annotated, nil
}

// labels are the image's, in the words of the OCI image specification, annex "Annotations".
func (i *Image) labels(cfg Config) map[string]string {
	labels := map[string]string{"org.opencontainers.image.title": i.Name}
	if i.Version != "" {
		labels["org.opencontainers.image.version"] = i.Version
	}
	if i.Revision != "" {
		labels["org.opencontainers.image.revision"] = i.Revision
	}
	if name, digest, found := strings.Cut(cfg.Base, "@"); found {
		labels["org.opencontainers.image.base.name"] = name
		labels["org.opencontainers.image.base.digest"] = digest
	}
	return labels
}

// epoch is when the image says it was made. The clock would give every build a digest of its own.
func epoch() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Unix(0, 0).UTC(), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH=%q is not a number of seconds since 1970", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// describe measures the image of one platform.
func describe(image v1.Image, program binary) (Platform, error) {
	digest, err := image.Digest()
	if err != nil {
		return Platform{}, err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return Platform{}, err
	}
	size := manifest.Config.Size
	for _, layer := range manifest.Layers {
		size += layer.Size
	}
	return Platform{Platform: program.platform.String(), Digest: digest.String(), Size: size, BinarySize: int64(len(program.data))}, nil
}

// Tag is the one that the image gets where no other is asked for. It never names two contents, so that it suits a repository whose tags
// are immutable: the version, when a commit holds the source, and otherwise the content itself.
func (i *Image) Tag() string {
	if i.Version == "" || i.Modified || strings.Contains(i.Version, "+dirty") {
		return "content-" + strings.TrimPrefix(i.Digest, "sha256:")[:12]
	}
	return strings.ReplaceAll(i.Version, "+", "-") // a tag has no plus sign
}
