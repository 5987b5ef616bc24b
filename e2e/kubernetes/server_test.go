package kubernetes_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/networking/ingress"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
)

// strategy is what the API server has for each kind: what it checks, and what it warns of.
type strategy interface {
	rest.RESTCreateStrategy
	rest.RESTUpdateStrategy
}

var strategies = map[string]struct {
	strategy
	resource string
}{
	"Deployment":              {deployment.Strategy, "deployments"},
	"HorizontalPodAutoscaler": {horizontalpodautoscaler.Strategy, "horizontalpodautoscalers"},
	"Ingress":                 {ingress.Strategy, "ingresses"},
	"Namespace":               {namespace.Strategy, "namespaces"},
	"NetworkPolicy":           {networkpolicy.Strategy, "networkpolicies"},
	"PodDisruptionBudget":     {poddisruptionbudget.Strategy, "poddisruptionbudgets"},
	"Service":                 {service.Strategy, "services"},
	"ServiceAccount":          {serviceaccount.Strategy, "serviceaccounts"},
}

// warnings is where the strategies put what kubectl prints as "Warning: …".
type warnings []string

func (w *warnings) AddWarning(_, text string) { *w = append(*w, text) }

// create does what the API server does with a POST before it stores the object. A warning is an error here.
func create(o object) error {
	obj, ctx, w, err := serverSide(o)
	if err != nil {
		return err
	}
	rest.FillObjectMetaSystemFields(obj.(metav1.ObjectMetaAccessor).GetObjectMeta())
	if err := rest.BeforeCreate(strategies[o.Kind].strategy, ctx, obj); err != nil {
		return err
	}
	if len(*w) > 0 {
		return errors.New("warning: " + strings.Join(*w, "; "))
	}
	return nil
}

// replace does what the API server does when an object that it has is applied anew.
func replace(earlier, later object) error {
	old, _, _, err := serverSide(earlier)
	if err != nil {
		return err
	}
	obj, ctx, _, err := serverSide(later)
	if err != nil {
		return err
	}
	for _, o := range []runtime.Object{old, obj} {
		o.(metav1.ObjectMetaAccessor).GetObjectMeta().SetResourceVersion("1")
	}
	return rest.BeforeUpdate(strategies[later.Kind].strategy, ctx, obj, old)
}

// serverSide is the object in the API server's own form, and the context of the request.
func serverSide(o object) (runtime.Object, context.Context, *warnings, error) {
	decoded, err := o.decode()
	if err != nil {
		return nil, nil, nil, err
	}
	gvk := decoded.GetObjectKind().GroupVersionKind()
	internal, err := legacyscheme.Scheme.ConvertToVersion(decoded, schema.GroupVersion{Group: gvk.Group, Version: runtime.APIVersionInternal})
	if err != nil {
		return nil, nil, nil, err
	}
	if _, known := strategies[o.Kind]; !known {
		return nil, nil, nil, errors.New("no strategy for the kind " + o.Kind)
	}
	w := &warnings{}
	ctx := warning.WithWarningRecorder(request.WithNamespace(context.Background(), o.Namespace), w)
	ctx = request.WithRequestInfo(ctx, &request.RequestInfo{
		IsResourceRequest: true, Verb: "create", APIGroup: gvk.Group, APIVersion: gvk.Version, Resource: strategies[o.Kind].resource, Namespace: o.Namespace, Name: o.Name,
	})
	return internal, ctx, w, nil
}

// TestAPIServerTakesEachObject runs the API server's own decoding, defaulting and validation, with unknown fields as errors.
func TestAPIServerTakesEachObject(t *testing.T) {
	each(t, func(t *testing.T, objects []object) {
		for _, o := range objects {
			if o.isCustom() {
				continue
			}
			if err := create(o); err != nil {
				t.Errorf("%s %s: %v", o.Kind, o.Name, err)
			}
		}
	})
}

// TestSecondDeploymentIsTaken applies the objects of another image over those of the first: a selector with the version in it
// would be refused here.
func TestSecondDeploymentIsTaken(t *testing.T) {
	file := testdata + "/full.good.yaml"
	first, second := manifests(t, file, repository+":v1@"+digestOf('a')), manifests(t, file, repository+":v2@"+digestOf('b'))
	for i, o := range first {
		if o.isCustom() {
			continue
		}
		if err := replace(o, second[i]); err != nil {
			t.Errorf("%s %s: %v", o.Kind, o.Name, err)
		}
	}
}

func digestOf(c byte) string { return "sha256:" + strings.Repeat(string(c), 64) }

// TestAPIServerCanRefuse spoils one thing at a time. A check that nothing fails proves nothing.
func TestAPIServerCanRefuse(t *testing.T) {
	objects := manifests(t, testdata+"/full.good.yaml", image)
	for _, test := range []struct{ name, kind, from, to, want string }{
		{"unknown field", "Deployment", "enableServiceLinks:", "enableServiceLink:", "unknown field"},
		{"field given twice", "Deployment", "revisionHistoryLimit: 3", "revisionHistoryLimit: 3\n  revisionHistoryLimit: 4", "already set"},
		{"selector beside the labels", "Deployment", "matchLabels:\n      app.kubernetes.io/name: orders", "matchLabels:\n      app.kubernetes.io/name: other", "`selector` does not match template `labels`"},
		{"request above the limit", "Deployment", "memory: 128Mi", "memory: 512Mi", "must be less than or equal to memory limit"},
		{"no pod would ever be replaced", "Deployment", "maxSurge: 1", "maxSurge: 0", "may not be 0 when `maxSurge` is 0"},
		{"preStop longer than the grace", "Deployment", "terminationGracePeriodSeconds: 45", "terminationGracePeriodSeconds: 5", "less than terminationGracePeriodSeconds (5)"},
		{"port name too long", "Service", "- name: http", "- name: a-name-that-is-longer-than-a-label-of-sixty-three-characters-may-be", "must be no more than 63"},
		{"what is only a warning", "Deployment", "- name: PORT", "- name: ADDR", "warning: spec.template.spec.containers[0].env"},
		{"path type", "Ingress", "pathType: Prefix", "pathType: prefix", "Unsupported value"},
		{"network", "NetworkPolicy", "cidr: 10.20.0.0/16", "cidr: 10.20.0.0/40", "must be a valid CIDR"},
		{"minimum above maximum", "HorizontalPodAutoscaler", "minReplicas: 3", "minReplicas: 13", "must be greater than or equal to `minReplicas`"},
		{"eviction policy", "PodDisruptionBudget", "AlwaysAllow", "Always", "supported values"},
		{"label value", "ServiceAccount", "part-of: shop", "part-of: -shop", "a valid label must be"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := only(t, objects, test.kind)
			spoilt := strings.Replace(string(o.text), test.from, test.to, 1)
			if spoilt == string(o.text) {
				t.Fatalf("%s has no %q", test.kind, test.from)
			}
			o.text = []byte(spoilt)
			if err := create(o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the API server says %v, want %q", err, test.want)
			}
		})
	}
}
