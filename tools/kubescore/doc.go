// Package kubescore pins kube-score, which the tests in e2e/kubernetes run on the objects of countersign manifests. It is a module
// of its own because kube-score does not compile with the Kubernetes libraries of those tests.
package kubescore
