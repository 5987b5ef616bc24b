// Package kubernetes holds what countersign manifests and countersign cluster write to the code of those who read it: the Pod
// Security admission of Kubernetes, its API types under strict decoding, Kustomize, kube-score, and the schemas of the custom
// resources and of eksctl. It has tests only, in a module of its own, because no user should compile any of that.
package kubernetes
