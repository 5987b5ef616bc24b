package kubernetes_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// TestObjectsFit holds the objects to each other, as the API server, which sees one at a time, cannot.
func TestObjectsFit(t *testing.T) {
	each(t, func(t *testing.T, objects []object) {
		d := decodeAs[*appsv1.Deployment](t, only(t, objects, "Deployment"))
		pod := d.Spec.Template
		c := pod.Spec.Containers[0]
		ports := map[string]int32{}
		for _, p := range c.Ports {
			ports[p.Name] = p.ContainerPort
		}
		for name, probe := range map[string]*corev1.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
			if ports[probe.HTTPGet.Port.StrVal] == 0 || probe.HTTPGet.Path == "" || probe.HTTPGet.Path[0] != '/' {
				t.Errorf("the %s probe asks port %s for %q", name, probe.HTTPGet.Port.StrVal, probe.HTTPGet.Path)
			}
		}
		if c.LivenessProbe.HTTPGet.Path == c.ReadinessProbe.HTTPGet.Path {
			t.Error("a pod that drains would be killed as dead")
		}
		for _, o := range objects {
			checkAgainstPod(t, o, pod, ports)
		}
		checkToken(t, objects, pod)
		checkReplicas(t, objects, d)
	})
}

// checkAgainstPod holds each object that selects or names the pods to selecting and naming these.
func checkAgainstPod(t *testing.T, o object, pod corev1.PodTemplateSpec, ports map[string]int32) {
	t.Helper()
	var selector *metav1.LabelSelector
	switch o.Kind {
	case "Deployment":
		selector = decodeAs[*appsv1.Deployment](t, o).Spec.Selector
	case "PodDisruptionBudget":
		selector = decodeAs[*policyv1.PodDisruptionBudget](t, o).Spec.Selector
	case "NetworkPolicy":
		selector = &decodeAs[*networkingv1.NetworkPolicy](t, o).Spec.PodSelector
	case "Service":
		s := decodeAs[*corev1.Service](t, o)
		selector = &metav1.LabelSelector{MatchLabels: s.Spec.Selector}
		if target := s.Spec.Ports[0].TargetPort.StrVal; ports[target] == 0 {
			t.Errorf("the Service sends to port %q, which no container has", target)
		}
	default:
		return
	}
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Matches(labels.Set(pod.Labels)) {
		t.Errorf("%s %s selects %s, which the pods are not", o.Kind, o.Name, s)
	}
	if s.Matches(labels.Set{}) != (o.Name == "default-deny") {
		t.Errorf("%s %s selects pods of others", o.Kind, o.Name)
	}
	for _, name := range []string{"app.kubernetes.io/version", "app.kubernetes.io/managed-by"} {
		if _, found := selector.MatchLabels[name]; found {
			t.Errorf("%s %s selects by %s, which may change", o.Kind, o.Name, name)
		}
	}
}

// checkToken holds that no pod has a token for the Kubernetes API: it does not call it.
func checkToken(t *testing.T, objects []object, pod corev1.PodTemplateSpec) {
	t.Helper()
	account := decodeAs[*corev1.ServiceAccount](t, only(t, objects, "ServiceAccount"))
	if account.Name != pod.Spec.ServiceAccountName || account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken {
		t.Errorf("the ServiceAccount is %s with automountServiceAccountToken %v", account.Name, account.AutomountServiceAccountToken)
	}
	if pod.Spec.AutomountServiceAccountToken == nil || *pod.Spec.AutomountServiceAccountToken {
		t.Error("the pods have a token of the ServiceAccount")
	}
}

// checkReplicas holds that the number of pods has one owner, and that a single pod has no budget that would block a drain.
func checkReplicas(t *testing.T, objects []object, d *appsv1.Deployment) {
	t.Helper()
	fewest := *d.Spec.Replicas
	budget := false
	for _, o := range objects {
		switch o.Kind {
		case "HorizontalPodAutoscaler":
			h := decodeAs[*autoscalingv2.HorizontalPodAutoscaler](t, o)
			if ref := h.Spec.ScaleTargetRef; ref.Kind != "Deployment" || ref.Name != d.Name || ref.APIVersion != "apps/v1" {
				t.Errorf("the autoscaler is for %v", ref)
			}
			if contains(written(t, objects, "Deployment"), "replicas") {
				t.Error("the Deployment and the autoscaler both set the number of pods")
			}
			fewest = *h.Spec.MinReplicas
		case "PodDisruptionBudget":
			budget = true
		}
	}
	if budget != (fewest >= 2) {
		t.Errorf("PodDisruptionBudget: %v, with %d pods at least", budget, fewest)
	}
}

// TestNoRequestIsLost holds the seconds of a pod's end to each other.
func TestNoRequestIsLost(t *testing.T) {
	each(t, func(t *testing.T, objects []object) {
		pod := decodeAs[*appsv1.Deployment](t, only(t, objects, "Deployment")).Spec.Template.Spec
		sleep, grace := pod.Containers[0].Lifecycle.PreStop.Sleep.Seconds, *pod.TerminationGracePeriodSeconds
		const drain = 10 // what a service of countersign init gives to http.Server.Shutdown
		if sleep < 15 || grace <= sleep+drain {
			t.Errorf("preStop %d s, drain %d s, grace %d s", sleep, drain, grace)
		}
		for _, o := range objects {
			if o.Kind != "Ingress" {
				continue
			}
			delay := number(t, stringMap(t, o.Annotations, "target-group-attributes")["deregistration_delay.timeout_seconds"])
			if delay > sleep+drain {
				t.Errorf("the load balancer waits %d s for a pod that lives %d s", delay, sleep+drain)
			}
		}
		if !contains(keysOf(only(t, objects, "Namespace").Labels), "elbv2.k8s.aws/pod-readiness-gate-inject") {
			t.Error("a rollout could outrun the load balancer")
		}
	})
}

// TestValuesArriveAsTheyAreWritten reads the variables as the API server does, whose YAML takes yes, 0755 and 1:30 for something
// else than texts where they are not quoted.
func TestValuesArriveAsTheyAreWritten(t *testing.T) {
	objects := manifests(t, testdata+"/full.good.yaml", image)
	got := map[string]string{}
	for _, v := range decodeAs[*appsv1.Deployment](t, only(t, objects, "Deployment")).Spec.Template.Spec.Containers[0].Env {
		got[v.Name] = v.Value
	}
	for name, want := range map[string]string{
		"LOG_LEVEL": "yes", "OCTAL": "0755", "EXPONENT": "1e3", "SECONDS": "1:30", "EMPTY": "", "LINES": "one\ntwo: #three\n",
		"ADDR": ":9000", "PORT": "9000", "COUNTERSIGN_RESOURCE": "https://api.example.com", "COUNTERSIGN_CREDENTIALS_DIR": "/var/run/secrets/countersign",
		"COUNTERSIGN_ISSUER": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
		"GOMEMLIMIT":         "241591905", // nine tenths of 256Mi
	} {
		if value, found := got[name]; !found || value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
}
