// Package manifests writes the Kubernetes objects of a service from its countersign.yaml: what runs, who may reach it, and
// what the load balancer in front of it does. Start with [Options.Render].
//
// The output depends on the arguments alone: no clock, no cluster, no network. The same file gives the same bytes, so that
// a diff in a repository shows what changed and nothing else.
//
// Neither the Kubernetes API server nor the AWS Load Balancer Controller refuses everything that is wrong: a pod that
// breaks the Pod Security Standard is a warning in a Deployment, and a misspelt annotation is no error at all. Render
// therefore checks the values itself, and reports every mistake at once.
package manifests
