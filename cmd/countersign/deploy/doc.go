// Package deploy brings a service to a Kubernetes cluster and takes it away again, with the kubectl and the credentials that the user has:
// it has no client of Kubernetes of its own. [Apply] and [Watch] are one half, [Inventory] with its steps the other.
//
// It builds no image and writes no manifest; the packages image and manifests do.
package deploy
