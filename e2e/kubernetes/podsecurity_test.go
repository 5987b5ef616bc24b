package kubernetes_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// evaluator is the Pod Security admission of Kubernetes, as the API server runs it for each pod.
func evaluator(t *testing.T) policy.Evaluator {
	t.Helper()
	e, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestPodSecurityRestricted holds the pods to the level that the labels of their own Namespace enforce.
func TestPodSecurityRestricted(t *testing.T) {
	e := evaluator(t)
	each(t, func(t *testing.T, objects []object) {
		levels, err := api.PolicyToEvaluate(only(t, objects, "Namespace").Labels, api.Policy{})
		if err != nil {
			t.Fatal(err)
		}
		for name, level := range map[string]api.LevelVersion{"enforce": levels.Enforce, "warn": levels.Warn, "audit": levels.Audit} {
			if level.Level != api.LevelRestricted || !level.Version.Latest() {
				t.Errorf("the namespace's %s is %v, want restricted:latest", name, level)
			}
		}
		d := decodeAs[*appsv1.Deployment](t, only(t, objects, "Deployment"))
		result := policy.AggregateCheckResults(e.EvaluatePod(levels.Enforce, &d.Spec.Template.ObjectMeta, &d.Spec.Template.Spec))
		if !result.Allowed {
			t.Errorf("%s: %s", result.ForbiddenReason(), result.ForbiddenDetail())
		}
	})
}

// TestPodSecurityCanRefuse takes away one line at a time: the evaluator refuses each such pod, for that line.
func TestPodSecurityCanRefuse(t *testing.T) {
	e := evaluator(t)
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	objects := manifests(t, testdata+"/full.good.yaml", image)
	yes, root := true, int64(0)
	for _, test := range []struct {
		reason string
		spoil  func(pod *corev1.PodSpec, c *corev1.Container)
	}{
		{"allowPrivilegeEscalation != false", func(_ *corev1.PodSpec, c *corev1.Container) { c.SecurityContext.AllowPrivilegeEscalation = nil }},
		{"unrestricted capabilities", func(_ *corev1.PodSpec, c *corev1.Container) { c.SecurityContext.Capabilities = nil }},
		{"unrestricted capabilities", func(_ *corev1.PodSpec, c *corev1.Container) {
			c.SecurityContext.Capabilities.Add = []corev1.Capability{"NET_RAW"}
		}},
		{"runAsNonRoot != true", func(pod *corev1.PodSpec, c *corev1.Container) {
			pod.SecurityContext.RunAsNonRoot, c.SecurityContext.RunAsNonRoot = nil, nil
		}},
		{"runAsUser=0", func(_ *corev1.PodSpec, c *corev1.Container) { c.SecurityContext.RunAsUser = &root }},
		{"seccompProfile", func(pod *corev1.PodSpec, c *corev1.Container) {
			pod.SecurityContext.SeccompProfile, c.SecurityContext.SeccompProfile = nil, nil
		}},
		{"privileged", func(_ *corev1.PodSpec, c *corev1.Container) { c.SecurityContext.Privileged = &yes }},
		{"hostPort", func(_ *corev1.PodSpec, c *corev1.Container) { c.Ports[0].HostPort = 80 }},
		{"host namespaces", func(pod *corev1.PodSpec, _ *corev1.Container) { pod.HostNetwork = true }},
		{"restricted volume types", func(pod *corev1.PodSpec, _ *corev1.Container) {
			pod.Volumes[0].VolumeSource = corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}
		}},
		{"probe or lifecycle host", func(_ *corev1.PodSpec, c *corev1.Container) { c.LivenessProbe.HTTPGet.Host = "169.254.169.254" }},
	} {
		t.Run(test.reason, func(t *testing.T) {
			pod := decodeAs[*appsv1.Deployment](t, only(t, objects, "Deployment")).Spec.Template
			test.spoil(&pod.Spec, &pod.Spec.Containers[0])
			reasons := []string{}
			for _, result := range e.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec) {
				if !result.Allowed {
					reasons = append(reasons, result.ForbiddenReason)
				}
			}
			if !contains(reasons, test.reason) {
				t.Errorf("refused for %q, want %q among them", reasons, test.reason)
			}
		})
	}
}

func contains(all []string, want string) bool {
	for _, s := range all {
		if s == want {
			return true
		}
	}
	return false
}
