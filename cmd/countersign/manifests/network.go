package manifests

// DefaultDeny is the name of the policy that closes the namespace for every pod in it.
const DefaultDeny = "default-deny"

// The address of the EKS Pod Identity agent on every node.
const (
	podIdentityAgent   = "169.254.170.23/32"
	podIdentityAgentV6 = "fd00:ec2::23/128"
	podIdentityPort    = 80
)

func (r *renderer) networkPolicies() {
	closed := metadata{Name: DefaultDeny, Namespace: r.cfg.Kubernetes.Namespace, Labels: map[string]string{labelManagedBy: ManagedBy}}
	both := []string{"Ingress", "Egress"}
	r.add("networking.k8s.io/v1", "NetworkPolicy", closed, networkPolicy{networkPolicySpec{PolicyTypes: both}})
	r.add("networking.k8s.io/v1", "NetworkPolicy", r.meta(r.cfg.Service.Name), networkPolicy{networkPolicySpec{
		PodSelector: r.selector(),
		PolicyTypes: both,
		Ingress:     []ingressFrom{{From: r.callers(), Ports: []policyPort{{portName, "TCP"}}}},
		Egress:      r.egress(),
	}})
}

// callers are who may connect: with target-type ip the load balancer's own addresses, which are no pods; without an Ingress
// the pods of the cluster.
func (r *renderer) callers() []peer {
	if r.hasIngress() {
		return []peer{{IPBlock: &ipBlock{r.cfg.Ingress.VPCCIDR}}}
	}
	return []peer{{NamespaceSelector: &labelSelector{}}}
}

// egress is DNS, the issuer's keys and AWS on port 443, the pods of the services that are called, and the Pod Identity agent. Which port those
// pods have is their file's to say: a policy sees the pod's and not the Service's. The metadata service of the node, on
// port 80 of 169.254.169.254, is not among them: a pod that reached it would have the node's role.
func (r *renderer) egress() []egressTo {
	dns := egressTo{
		To: []peer{{
			NamespaceSelector: &labelSelector{map[string]string{"kubernetes.io/metadata.name": "kube-system"}},
			PodSelector:       &labelSelector{map[string]string{"k8s-app": "kube-dns"}},
		}},
		Ports: []policyPort{{53, "UDP"}, {53, "TCP"}},
	}
	all := []egressTo{dns}
	var https []peer
	for _, cidr := range r.cfg.Kubernetes.Egress {
		https = append(https, peer{IPBlock: &ipBlock{cidr}})
	}
	if len(https) > 0 {
		all = append(all, egressTo{https, []policyPort{{443, "TCP"}}})
	}
	for _, call := range r.cfg.Kubernetes.Calls {
		if call.Namespace != "" {
			all = append(all, egressTo{To: []peer{{
				NamespaceSelector: &labelSelector{map[string]string{"kubernetes.io/metadata.name": call.Namespace}},
				PodSelector:       &labelSelector{map[string]string{labelName: call.Name}},
			}}})
		}
	}
	if r.cfg.Kubernetes.Identity == identityPod {
		agent := []peer{{IPBlock: &ipBlock{podIdentityAgent}}, {IPBlock: &ipBlock{podIdentityAgentV6}}}
		all = append(all, egressTo{agent, []policyPort{{podIdentityPort, "TCP"}}})
	}
	return all
}

func (r *renderer) checkEgress() {
	// A rule without peers would mean every peer; without the rule there is no key set, and so no token that could be verified.
	if len(r.cfg.Kubernetes.Egress) == 0 {
		r.problems.at("kubernetes.egress", "is empty: the service could not fetch the issuer's keys and would answer 503 to every caller; write the networks, or leave it out for all")
	}
}
