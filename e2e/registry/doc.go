// Package registry pushes images to a registry that other people wrote (Debian's docker-registry), pulls them with their tools (podman) and
// runs them with their runtime (runc). For Amazon ECR, moto plays its API before such a registry. A tool that is missing fails the test.
package registry
