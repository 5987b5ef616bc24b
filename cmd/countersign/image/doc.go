// Package image builds the container image of a Go service without Docker and without a Dockerfile, and brings it to a registry,
// an OCI layout or a tar file. The same source gives the same bytes: two builds in two directories have one digest.
//
// It is not a container runtime and runs nothing of what it builds. Start with [Build].
package image
