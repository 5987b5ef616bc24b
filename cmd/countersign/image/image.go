package image

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Config says what to build.
type Config struct {
	Package   string   // the Go package of the program, as go build takes it
	Dir       string   // where the go command runs; "" for the working directory
	Name      string   // the service's name, for the image's title; "" for the program's
	Platforms []string // "linux/amd64"; none for [DefaultPlatforms]
	Base      string   // base image, by digest; "" for what a static Go program needs and nothing else
	LDFlags   string   // for the linker, beside -s -w, as in "-X main.version=1.2.3"
	Port      int      // the port that the image says it serves; 0 for none
	Registry  Registry // where the base image comes from

	Progress func(step string) // is told what is done next; nil for nobody
}

// Image is what was built: an OCI index with one image a platform, and their bills of materials.
type Image struct {
	Name      string     // the service's name
	Digest    string     // of the index: "sha256:…"
	Version   string     // as the go command stamped it; "" where it knew none
	Revision  string     // commit of the source; "" where it is under no version control
	Modified  bool       // whether the source had changes that no commit holds
	Platforms []Platform // in the order of their names
	Notes     []string   // what a person should know about it

	index   v1.ImageIndex
	images  []v1.Image
	sboms   []v1.Image
	program string
}

// Platform is the image of one platform.
type Platform struct {
	Platform   string `json:"platform"`
	Digest     string `json:"digest"`
	Size       int64  `json:"size"`       // bytes to be pulled
	BinarySize int64  `json:"binarySize"` // bytes of the program
	SBOM       string `json:"sbom"`       // digest of the bill of materials that is attached
	Modules    int    `json:"modules"`    // that the bill of materials lists
}

// Build compiles the program for every platform and puts the images together. It writes nothing but the go command's own cache.
func Build(ctx context.Context, cfg Config) (*Image, error) {
	platforms, err := parsePlatforms(cfg.Platforms)
	if err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	found, err := findProgram(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	built := &Image{Name: cfg.Name, program: programName(found.ImportPath)}
	if built.Name == "" {
		built.Name = built.program
	}
	beneath, err := bottom(ctx, cfg, platforms, built)
	if err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	for i, platform := range platforms {
		cfg.progress("building " + cfg.Package + " for " + platform.String())
		program, err := compile(ctx, cfg, platform)
		if err != nil {
			return nil, fmt.Errorf("image: %w", err)
		}
		if err := built.add(cfg, program, beneath[i]); err != nil {
			return nil, fmt.Errorf("image: %s: %w", platform, err)
		}
	}
	if err := built.seal(cfg); err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	return built, nil
}

func (c Config) progress(step string) {
	if c.Progress != nil {
		c.Progress(step)
	}
}

// bottom is what lies beneath the program on each platform: the base image, or the few files that Go reads.
func bottom(ctx context.Context, cfg Config, platforms []v1.Platform, built *Image) ([]v1.Image, error) {
	if cfg.Base != "" {
		cfg.progress("reading the base image " + cfg.Base)
		return cfg.Registry.bases(ctx, cfg.Base, platforms)
	}
	zones, err := timeZones(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if zones == nil {
		built.Notes = append(built.Notes, "time zones are left out: this Go has no lib/time/zoneinfo.zip")
	}
	files, err := baseFiles(zones)
	if err != nil {
		return nil, err
	}
	layer, err := layerOf(files)
	if err != nil {
		return nil, err
	}
	addendum := mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "countersign image", Comment: "certificates, users, time zones"}}
	image, err := mutate.Append(mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1), addendum)
	var all []v1.Image
	for range platforms {
		all = append(all, image)
	}
	return all, err
}

// add puts the program on top, and writes down what it is made of.
func (i *Image) add(cfg Config, program binary, beneath v1.Image) error {
	i.stamp(program.info)
	top := file{name: "app/" + i.program, mode: 0o555, data: program.data}
	layer, err := layerOf([]file{top})
	if err != nil {
		return err
	}
	image, err := mutate.Append(beneath, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "countersign image", Comment: "the program"}})
	if err != nil {
		return err
	}
	if image, err = i.configure(cfg, image, program.platform); err != nil {
		return err
	}
	described, err := describe(image, program)
	if err != nil {
		return err
	}
	sbom, modules, err := attachment(i, image, program)
	if err != nil {
		return err
	}
	digest, err := sbom.Digest()
	if err != nil {
		return err
	}
	described.SBOM, described.Modules = digest.String(), modules
	i.images, i.sboms, i.Platforms = append(i.images, image), append(i.sboms, sbom), append(i.Platforms, described)
	return nil
}

// stamp reads what the go command wrote into the binary: nobody has to be told the version twice.
func (i *Image) stamp(info *debug.BuildInfo) {
	if v := info.Main.Version; v != "(devel)" {
		i.Version = v
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			i.Revision = setting.Value
		case "vcs.modified":
			i.Modified = setting.Value == "true"
		}
	}
}

// seal makes the index of all platforms.
func (i *Image) seal(cfg Config) error {
	var all []mutate.IndexAddendum
	for n, image := range i.images {
		platform, err := v1.ParsePlatform(i.Platforms[n].Platform)
		if err != nil {
			return err
		}
		all = append(all, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: platform}})
	}
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), all...)
	annotated, ok := mutate.Annotations(index, i.labels(cfg)).(v1.ImageIndex)
	if !ok {
		return errors.New("the index takes no annotations")
	}
	digest, err := annotated.Digest()
	if err != nil {
		return err
	}
	i.index, i.Digest = annotated, digest.String()
	if i.Modified {
		i.Notes = append(i.Notes, "the source has changes that no commit holds: nobody else can build these bytes")
	}
	return nil
}
