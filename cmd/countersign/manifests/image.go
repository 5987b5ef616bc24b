package manifests

import (
	"regexp"
	"strings"
)

// reference is an image reference, cut into its parts.
type reference struct {
	text       string // as it is written into the Deployment
	repository string
	tag        string // "" if there is none
	digest     string // "sha256:…"; "" if there is none
}

// The grammar is that of the distribution project's reference, narrowed to what a registry of today takes: a host that is
// recognised by its dot, its port or its name localhost, lower-case path components, and a SHA-256 digest.
var (
	repositoryForm = regexp.MustCompile(`^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$`)
	tagForm        = regexp.MustCompile(`^[\w][\w.-]{0,127}$`)
	digestForm     = regexp.MustCompile(`^sha256:[a-f0-9]{64}$`)
	labelForm      = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)
)

// parseReference returns ok false for a text that names no image.
func parseReference(text string) (ref reference, ok bool) {
	ref.text = text
	name, digest, hasDigest := strings.Cut(text, "@")
	if hasDigest && !digestForm.MatchString(digest) {
		return reference{}, false
	}
	ref.digest, ref.repository = digest, name
	// A colon after the last slash is a tag's; one before it is a port's.
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		ref.repository, ref.tag = name[:colon], name[colon+1:]
		if !tagForm.MatchString(ref.tag) {
			return reference{}, false
		}
	}
	return ref, len(ref.repository) <= 255 && repositoryForm.MatchString(ref.repository)
}

func (r *renderer) resolveImage(text string) {
	repository := r.cfg.Image.Repository
	if repository == "" {
		repository = "123456789012.dkr.ecr." + r.cfg.Pool.Region + ".amazonaws.com/" + r.cfg.Service.Name
	}
	if text == "" {
		r.problems.add("no image is named: pass --image %s@sha256:…, as countersign image prints it after a push", repository)
		return
	}
	ref, ok := parseReference(text)
	switch {
	case !ok:
		r.problems.add("--image %s is no image reference; write it as %s@sha256:…", text, repository)
	case ref.digest == "" && !r.options.AllowTag:
		r.problems.add("--image %s has no digest: a tag can be moved, so nobody could say what runs. countersign image prints the digest; for an image that was pushed already: "+
			"%s. countersign manifests takes a tag with --allow-tag", text, digestCommand(ref))
	}
	r.image = ref
}

// digestCommand is what a user types to learn the digest of an image in a registry.
func digestCommand(ref reference) string {
	tag := ref.tag
	if tag == "" {
		tag = "latest"
	}
	host, path, _ := strings.Cut(ref.repository, "/")
	if m := ecrHost.FindStringSubmatch(host); m != nil {
		return "aws ecr describe-images --region " + m[2] + " --repository-name " + path + " --image-ids imageTag=" + tag + " --query 'imageDetails[0].imageDigest' --output text"
	}
	return "docker buildx imagetools inspect " + ref.repository + ":" + tag
}

// ecrHost is the host of a private registry of Amazon ECR: account and region.
var ecrHost = regexp.MustCompile(`^([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$`)

// versionLabel returns the image's tag where it is a label's value too, and "" otherwise.
func (ref reference) versionLabel() string {
	if labelForm.MatchString(ref.tag) {
		return ref.tag
	}
	return ""
}
