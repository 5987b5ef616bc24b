package deploy

import (
	"slices"
	"strings"
)

const notLoggedIn = "the nodes are not logged in to the registry: name a Secret that knows it in image.pullSecrets, or use ECR with the nodes' role"

// advices are what helps against what Kubernetes says. The first that fits is taken.
var advices = []struct {
	sign   []string // all of them are in the text
	advice string
}{
	{[]string{"no match for platform"}, "the image has no build for the nodes' architecture: add it to image.platforms"},
	{[]string{"exec format error"}, "the image has no build for the nodes' architecture: add it to image.platforms"},
	{[]string{"403 Forbidden"}, "the nodes may not pull from the registry: give their role AmazonEC2ContainerRegistryPullOnly, and for another account a repository policy"},
	{[]string{"no basic auth credentials"}, notLoggedIn},
	{[]string{"pull access denied"}, notLoggedIn},
	{[]string{"401 Unauthorized"}, notLoggedIn},
	{[]string{"pull", "not found"}, "the registry does not have the image, or calls it otherwise: see image.repository and the push above"},
	{[]string{"ImagePullBackOff"}, "the nodes cannot pull the image: see the event above; a node in a private subnet needs a way to the registry"},
	{[]string{"CreateContainerConfigError", "secret", "not found"}, "a Secret that the pod mounts is not there: run countersign provision first"},
	{[]string{"FailedMount", "ecretProviderClass"}, "the Secrets Store CSI driver is not installed, or does not know the class: countersign cluster writes the add-on, or choose kubernetes.secrets: secret"},
	{[]string{"FailedMount", "secret", "not found"}, "a Secret that the pod mounts is not there: run countersign provision first"},
	{[]string{"FailedMount", "AccessDenied"}, "the pods' role may not read the secret in Secrets Manager: see kubernetes.identity and the role of the ServiceAccount"},
	{[]string{"runAsNonRoot"}, "the image wants to run as root: build it with countersign image"},
	{[]string{"OOMKilled"}, "the container was killed for want of memory: raise kubernetes.resources.memoryLimit"},
	{[]string{"exceeded quota"}, "the namespace's ResourceQuota is used up: lower kubernetes.resources or replicas, or ask for a higher quota; the new pod stands beside the old ones while it starts"},
	{[]string{"violates PodSecurity"}, "the namespace is restricted and something changed the pod (an admission webhook, a sidecar): it must keep the rules that the event names"},
	{[]string{"Unschedulable"}, "no node has room for the pod, or fits it: see the message; lower kubernetes.resources, or raise cluster.maxNodes"},
	{[]string{"the load balancer sends nothing", "FailedHealthChecks"}, "the load balancer's health check fails: service.ready has to answer 200 without a token, and ingress.vpcCIDR to be the load balancer's network"},
	{[]string{"the load balancer sends nothing"}, "the AWS Load Balancer Controller has not registered the pod: kubectl -n kube-system logs deployment/aws-load-balancer-controller"},
	{[]string{"CrashLoopBackOff"}, "the program ends by itself: its last lines above say why; try it with countersign dev"},
	{[]string{"Unhealthy", "probe failed"}, "the probe gets no good answer: see service.live, service.ready and service.port, and that both paths are public in the policy"},
}

// advise adds what helps against what was said, once.
func (f *Failure) advise(text string) {
	for _, a := range advices {
		fits := !slices.ContainsFunc(a.sign, func(sign string) bool { return !strings.Contains(text, sign) })
		if fits {
			if !slices.Contains(f.Advice, a.advice) {
				f.Advice = append(f.Advice, a.advice)
			}
			return
		}
	}
}
