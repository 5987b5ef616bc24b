package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/image"
)

func newImage() *cobra.Command {
	var options imageOptions
	cmd := &cobra.Command{
		Use:   "image [PACKAGE]",
		Short: "Build the service's container image, without Docker, and push it",
		Long: `Builds the service's static binary and puts it into a container image: one index with an image for each platform, the same bytes
wherever and whenever the same source is built. No Docker and no Dockerfile is needed.

The image runs as user 65532 and holds the program, CA certificates and time zones, or lies on the base image that image.base names by
its digest. To each platform's image a bill of materials (CycloneDX) is attached.

What is built comes from countersign.yaml; without that file, from PACKAGE and --repository. Without --push, --oci-layout and --tarball
nothing is written, and the digest is printed. In Amazon ECR the repository is made where it is missing, with images scanned and tags
immutable, and the login is that of the AWS credentials; for other registries, log in with docker login or podman login.

The standard output is one line: the reference by digest, for a Deployment. With --output json it is an object with the members name,
digest, reference, tag, version, revision, modified, platforms, pushed, alreadyThere, repositoryMade, layout, tarball and notes.

Exit codes: 0 done, 2 could not build or push.`,
		Example: `  countersign image
  countersign image --push
  countersign image --env prod --push --tag v1.4.0
  countersign image --repository registry.example.com/shop/orders --push ./cmd/orders
  countersign image --tarball orders.tar && podman load -i orders.tar
  countersign manifests --image "$(countersign image --push)"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.fileNamed = cmd.Flags().Changed("file") || cmd.Flags().Changed("env")
			return runImage(cmd.Context(), args, options, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	options.config.add(cmd)
	options.imageFlags.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&options.repository, "repository", "", "repository with its registry, without tag (default: image.repository)")
	flags.StringSliceVar(&options.platforms, "platform", nil, "platform to build for, such as linux/arm64; repeatable (default: image.platforms, or "+strings.Join(image.DefaultPlatforms, " and ")+")")
	flags.StringVar(&options.base, "base", "", "base image, by digest (default: image.base, or none)")
	flags.BoolVar(&options.push, "push", false, "push the image to its repository")
	flags.StringVar(&options.layout, "oci-layout", "", "write the image to this directory, as an OCI layout")
	flags.StringVar(&options.tarball, "tarball", "", "write the image of one platform, this machine's if it can be, to this file, for docker load and podman load")
	addOutput(cmd, &options.output, textOrJSON...)
	cmd.MarkFlagsMutuallyExclusive("push", "oci-layout", "tarball")
	cmd.MarkFlagDirname("oci-layout")
	complete(cmd, "platform", image.Platforms()...)
	return cmd
}

// imageFlags are those of image that deploy takes too.
type imageFlags struct {
	tag, ldflags, endpoint string
	insecure, forceTag     bool
}

func (f *imageFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.tag, "tag", "", "tag of the image (default: the version that the go command stamps, or one made of the content)")
	flags.BoolVar(&f.forceTag, "force-tag", false, "move the tag if it names another image already, where the registry lets it")
	flags.StringVar(&f.ldflags, "ldflags", "", "flags for the linker beside -s -w, as in \"-X main.version=1.2.3\"")
	flags.StringVar(&f.endpoint, "endpoint-url", "", "address of the ECR API (default: AWS's, or AWS_ENDPOINT_URL_ECR)")
	flags.BoolVar(&f.insecure, "insecure-http", false, "speak HTTP without TLS to a registry that has none; anybody on the way can change the image")
}

// registry is how the flags say that registries are reached.
func (f imageFlags) registry() image.Registry {
	return image.Registry{
		InsecureHTTP: f.insecure,
		ForceTag:     f.forceTag,
		UserAgent:    "countersign/" + strings.ReplaceAll(version(), " ", "-"),
		ECR: func(ctx context.Context, region string) (*ecr.Client, error) {
			cfg, err := aws.Load(ctx, aws.Options{Region: region})
			if err != nil {
				return nil, err
			}
			return ecr.NewFromConfig(cfg, func(o *ecr.Options) {
				if f.endpoint != "" {
					o.BaseEndpoint = &f.endpoint
				}
			}), nil
		},
	}
}

type imageOptions struct {
	imageFlags
	config                                    configFlags
	fileNamed                                 bool
	repository, base, layout, tarball, output string
	platforms                                 []string
	push                                      bool
}

// imageResult is what --output json prints.
type imageResult struct {
	Name           string           `json:"name"`
	Digest         string           `json:"digest"`
	Reference      string           `json:"reference,omitempty"`
	Tag            string           `json:"tag"`
	Version        string           `json:"version,omitempty"`
	Revision       string           `json:"revision,omitempty"`
	Modified       bool             `json:"modified,omitempty"`
	Platforms      []image.Platform `json:"platforms"`
	Pushed         bool             `json:"pushed"`
	AlreadyThere   bool             `json:"alreadyThere,omitempty"`
	RepositoryMade bool             `json:"repositoryMade,omitempty"`
	Layout         string           `json:"layout,omitempty"`
	Tarball        string           `json:"tarball,omitempty"`
	Notes          []string         `json:"notes,omitempty"`
}

func runImage(ctx context.Context, args []string, o imageOptions, stdout, stderr io.Writer) error {
	if err := checkOutput(o.output, textOrJSON...); err != nil {
		return err
	}
	build, repository, err := o.what(args)
	if err != nil {
		return err
	}
	if o.push && repository == "" {
		return errors.New("--push needs a repository: write image.repository in countersign.yaml, or --repository registry.example.com/shop/orders")
	}
	if repository != "" {
		if err := image.CheckRepository(repository); err != nil {
			return err
		}
	}
	build.Progress = func(step string) { fmt.Fprintln(stderr, step) }
	built, err := image.Build(ctx, build)
	if err != nil {
		return err
	}
	result := o.resultOf(built)
	if err := o.deliver(ctx, built, repository, &result); err != nil {
		return err
	}
	return result.print(o.output, stdout, stderr)
}

// what is to be built, and the repository that it is for: from the file, or from the arguments where there is no file.
func (o imageOptions) what(args []string) (image.Config, string, error) {
	build := image.Config{LDFlags: o.ldflags, Registry: o.registry(), Platforms: o.platforms, Base: o.base}
	if len(args) == 1 {
		build.Package = args[0]
	}
	cfg, err := o.config.load()
	switch {
	case err == nil:
		build = imageConfig(cfg, build)
		if o.repository == "" {
			o.repository = cfg.Image.Repository
		}
	case errors.Is(err, fs.ErrNotExist) && !o.fileNamed && build.Package != "":
	case errors.Is(err, fs.ErrNotExist) && !o.fileNamed:
		return build, "", fmt.Errorf("what is to be built? name the package, as in: countersign image ./cmd/orders; or write %s, with: countersign init", o.config.file)
	default:
		return build, "", err
	}
	return build, o.repository, nil
}

// imageConfig fills in from the file what no flag says.
func imageConfig(cfg *config.Config, build image.Config) image.Config {
	if build.Package == "" {
		build.Package, build.Dir = cfg.Service.Main, filepath.Dir(cfg.Path)
	}
	if len(build.Platforms) == 0 {
		build.Platforms = cfg.Image.Platforms
	}
	if build.Base == "" {
		build.Base = cfg.Image.Base
	}
	build.Name, build.Port = cfg.Service.Name, cfg.Service.Port
	return build
}

func (o imageOptions) resultOf(built *image.Image) imageResult {
	result := imageResult{
		Name: built.Name, Digest: built.Digest, Tag: o.tag, Version: built.Version, Revision: built.Revision,
		Modified: built.Modified, Platforms: built.Platforms, Notes: built.Notes,
	}
	if result.Tag == "" {
		result.Tag = built.Tag()
	}
	return result
}

// deliver brings the image where the flags say.
func (o imageOptions) deliver(ctx context.Context, built *image.Image, repository string, result *imageResult) error {
	switch {
	case o.push:
		pushed, err := built.Push(ctx, o.registry(), repository, result.Tag)
		if err != nil {
			return err
		}
		result.Pushed, result.Reference = true, pushed.Reference
		result.AlreadyThere, result.RepositoryMade = pushed.AlreadyThere, pushed.RepositoryMade
	case o.layout != "":
		result.Layout = o.layout
		return built.WriteLayout(o.layout, result.Tag)
	case o.tarball != "":
		platform, err := built.WriteTarball(o.tarball, result.Tag)
		if err != nil {
			return err
		}
		result.Tarball = o.tarball
		if len(built.Platforms) > 1 {
			result.Notes = append(result.Notes, "the tar file holds one platform, "+platform+"; --platform chooses another, --oci-layout holds all")
		}
	default:
		result.Notes = append(result.Notes, "nothing is written; --push, --oci-layout or --tarball says where to")
	}
	return nil
}

func (r imageResult) print(format string, stdout, stderr io.Writer) error {
	if format == "json" {
		return encodeIndented(stdout, r)
	}
	r.describe(stderr)
	line := r.Reference
	if line == "" {
		line = r.Digest
	}
	_, err := fmt.Fprintln(stdout, line)
	return err
}

// describe is for the person who looks on.
func (r imageResult) describe(w io.Writer) {
	words := []string{r.Name}
	if r.Version != "" {
		words = append(words, r.Version)
	}
	if r.Revision != "" {
		words = append(words, "commit "+r.Revision[:min(12, len(r.Revision))])
	}
	fmt.Fprintln(w, strings.Join(words, ", "))
	for _, p := range r.Platforms {
		fmt.Fprintf(w, "  %-12s %8s to pull, %8s program, %3d modules, %s\n", p.Platform, megabytes(p.Size), megabytes(p.BinarySize), p.Modules, p.Digest)
	}
	for _, note := range r.Notes {
		fmt.Fprintln(w, "note: "+note)
	}
	switch {
	case r.AlreadyThere:
		fmt.Fprintf(w, "the registry has it already, as tag %s\n", r.Tag)
	case r.Pushed && r.RepositoryMade:
		fmt.Fprintf(w, "repository made: images are scanned, tags immutable\npushed, as tag %s\n", r.Tag)
	case r.Pushed:
		fmt.Fprintf(w, "pushed, as tag %s\n", r.Tag)
	case r.Layout != "":
		fmt.Fprintf(w, "written to %s, as tag %s\n", r.Layout, r.Tag)
	case r.Tarball != "":
		fmt.Fprintf(w, "written to %s, as %s:%s\n", r.Tarball, r.Name, r.Tag)
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
