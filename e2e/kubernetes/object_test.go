package kubernetes_test

import (
	"bytes"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"sigs.k8s.io/yaml"
)

// object is one document of the stream.
type object struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	text              []byte
}

func split(t *testing.T, stream []byte) []object {
	t.Helper()
	var all []object
	for _, text := range bytes.Split(stream, []byte("\n---\n")) {
		o := object{text: text}
		if err := yaml.Unmarshal(text, &o); err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	if len(all) < 5 {
		t.Fatalf("only %d objects", len(all))
	}
	return all
}

// isCustom reports whether the object is of a custom resource, whose types are not Kubernetes' own.
func (o object) isCustom() bool {
	return o.Kind == "SecretProviderClass" || o.Kind == "SecretStore" || o.Kind == "ExternalSecret"
}

// strict is what the API server decodes a request with under fieldValidation=Strict.
var strict = json.NewSerializerWithOptions(json.DefaultMetaFactory, legacyscheme.Scheme, legacyscheme.Scheme,
	json.SerializerOptions{Yaml: true, Strict: true})

// decode returns the object as k8s.io/api has it, with the defaults that the API server adds.
func (o object) decode() (runtime.Object, error) {
	decoded, _, err := strict.Decode(o.text, nil, nil)
	if err != nil {
		return nil, err
	}
	legacyscheme.Scheme.Default(decoded)
	return decoded, nil
}

// decodeAs is decode into a type that the test knows.
func decodeAs[T runtime.Object](t *testing.T, o object) T {
	t.Helper()
	decoded, err := o.decode()
	if err != nil {
		t.Fatalf("%s %s: %v", o.Kind, o.Name, err)
	}
	typed, ok := decoded.(T)
	if !ok {
		t.Fatalf("%s %s is a %T", o.Kind, o.Name, decoded)
	}
	return typed
}

// only returns the object of a kind, and of a name where there is more than one of the kind.
func only(t *testing.T, objects []object, kind string) object {
	t.Helper()
	for _, o := range objects {
		if o.Kind == kind && o.Name != "default-deny" {
			return o
		}
	}
	t.Fatalf("there is no %s", kind)
	return object{}
}
