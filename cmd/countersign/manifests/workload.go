package manifests

import (
	"slices"
	"strings"
)

func (r *renderer) namespace() {
	r.add("v1", "Namespace", metadata{Name: r.cfg.Kubernetes.Namespace, Labels: map[string]string{
		labelManagedBy:                               ManagedBy,
		"pod-security.kubernetes.io/enforce":         "restricted",
		"pod-security.kubernetes.io/enforce-version": "latest",
		"pod-security.kubernetes.io/warn":            "restricted",
		"pod-security.kubernetes.io/warn-version":    "latest",
		"pod-security.kubernetes.io/audit":           "restricted",
		"pod-security.kubernetes.io/audit-version":   "latest",
		// A new pod counts as ready only when the load balancer sends to it, so that a rollout does not outrun it.
		"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled",
	}}, nil)
}

func (r *renderer) serviceAccount() {
	meta := r.meta(r.cfg.Service.Name)
	if r.cfg.Kubernetes.Identity == identityIRSA {
		meta.Annotations = map[string]string{"eks.amazonaws.com/role-arn": r.cfg.Kubernetes.RoleARN}
	}
	r.add("v1", "ServiceAccount", meta, serviceAccount{})
}

func (r *renderer) service() {
	r.add("v1", "Service", r.meta(r.cfg.Service.Name), service{serviceSpec{
		Type:     "ClusterIP",
		Selector: r.selector().MatchLabels,
		Ports:    []servicePort{{Name: portName, Port: 80, TargetPort: portName, Protocol: "TCP", AppProtocol: "http"}},
	}})
}

// disruptionBudget lets a drain take one pod at a time. With a single pod it would let it take none: the drain of the node,
// and the deletion of the cluster, would wait for ever.
func (r *renderer) disruptionBudget() {
	if r.cfg.Kubernetes.Replicas.Min < 2 {
		return
	}
	r.add("policy/v1", "PodDisruptionBudget", r.meta(r.cfg.Service.Name), disruptionBudget{disruptionBudgetSpec{
		MaxUnavailable: 1, UnhealthyPodEvictionPolicy: "AlwaysAllow", Selector: r.selector(),
	}})
}

func (r *renderer) autoscaler() {
	if !r.scales() {
		return
	}
	r.add("autoscaling/v2", "HorizontalPodAutoscaler", r.meta(r.cfg.Service.Name), autoscaler{autoscalerSpec{
		ScaleTargetRef: scaleTarget{"apps/v1", "Deployment", r.cfg.Service.Name},
		MinReplicas:    r.cfg.Kubernetes.Replicas.Min,
		MaxReplicas:    r.cfg.Kubernetes.Replicas.Max,
		Metrics:        []metric{{"Resource", resourceMetric{"cpu", metricTarget{"Utilization", 70}}}},
	}})
}

// checkService checks what is a good value by itself, and not here.
func (r *renderer) checkService() {
	s, k := r.cfg.Service, r.cfg.Kubernetes
	if slices.Contains([]string{"default", "kube-system", "kube-public", "kube-node-lease"}, k.Namespace) {
		r.problems.at("kubernetes.namespace", "%s is the cluster's own: its pods would be cut off by the default-deny policy; choose one that belongs to the service", k.Namespace)
	}
	if s.Port < 1024 {
		r.problems.at("service.port", "%d needs a privilege that the pod does not have; write 1024 or more, callers see port 80 and 443 all the same", s.Port)
	}
	for _, p := range []struct{ member, path string }{{"service.live", s.Live}, {"service.ready", s.Ready}} {
		if strings.ContainsAny(p.path, "*") {
			r.problems.at(p.member, "%s has a wildcard: a probe asks for one path; write it", p.path)
		}
	}
}
