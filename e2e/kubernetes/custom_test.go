package kubernetes_test

import (
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

// custom is a version of a custom resource, as the API server holds objects to it.
type custom struct {
	validator  validation.SchemaValidator
	structural *schema.Structural
}

var definitions = map[string]published{
	"SecretProviderClass": secretProviderClass, "ExternalSecret": externalSecret, "SecretStore": secretStore,
}

func customOf(t *testing.T, o object) custom {
	t.Helper()
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(definitions[o.Kind].read(t), &definition); err != nil {
		t.Fatal(err)
	}
	for _, version := range definition.Spec.Versions {
		if definition.Spec.Group+"/"+version.Name != o.APIVersion {
			continue
		}
		if !version.Served || version.Deprecated {
			t.Errorf("%s %s: served %v, deprecated %v", o.Kind, o.APIVersion, version.Served, version.Deprecated)
		}
		var props apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, &props, nil); err != nil {
			t.Fatal(err)
		}
		validator, _, err := validation.NewSchemaValidator(&props)
		if err != nil {
			t.Fatal(err)
		}
		structural, err := schema.NewStructural(&props)
		if err != nil {
			t.Fatal(err)
		}
		return custom{validator, structural}
	}
	t.Fatalf("%s has no version %s", o.Kind, o.APIVersion)
	return custom{}
}

// problems are what the schema says of the object, and the fields that it does not know.
func (c custom) problems(t *testing.T, text []byte) []string {
	t.Helper()
	var value map[string]any
	if err := yaml.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, err := range validation.ValidateCustomResource(field.NewPath(""), value, c.validator) {
		all = append(all, err.Error())
	}
	for _, path := range pruning.PruneWithOptions(value, c.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		all = append(all, "unknown field "+path)
	}
	return all
}

// TestCustomResources holds the objects of the secret drivers to the drivers' own published definitions.
func TestCustomResources(t *testing.T) {
	seen := map[string]bool{}
	each(t, func(t *testing.T, objects []object) {
		for _, o := range objects {
			if !o.isCustom() {
				continue
			}
			seen[o.Kind] = true
			if found := customOf(t, o).problems(t, o.text); len(found) > 0 {
				t.Errorf("%s %s: %q", o.Kind, o.Name, found)
			}
		}
	})
	for kind := range definitions {
		if !seen[kind] {
			t.Errorf("no variant has a %s", kind)
		}
	}
}

func TestCustomResourcesCanBeRefused(t *testing.T) {
	csi, external := manifests(t, testdata+"/full.good.yaml", image), manifests(t, testdata+"/external.good.yaml", image)
	for _, test := range []struct {
		name, from, to, want string
		object               object
	}{
		{"parameters are texts", "usePodIdentity: 'true'", "usePodIdentity: true", "must be of type string", only(t, csi, "SecretProviderClass")},
		{"unknown field", "provider: aws", "provider: aws\n  providers: aws", "unknown field", only(t, csi, "SecretProviderClass")},
		{"unknown service", "service: SecretsManager", "service: Secrets", "Unsupported value", only(t, external, "SecretStore")},
		{"two providers", "  provider:\n", "  provider:\n    vault: {server: 'https://vault.example.com'}\n", "at most 1", only(t, external, "SecretStore")},
		{"unknown policy", "creationPolicy: Owner", "creationPolicy: Mine", "Unsupported value", only(t, external, "ExternalSecret")},
		{"no key", "key: orders/readClient", "keys: orders/readClient", "unknown field", only(t, external, "ExternalSecret")},
	} {
		t.Run(test.name, func(t *testing.T) {
			spoilt := strings.Replace(string(test.object.text), test.from, test.to, 1)
			if spoilt == string(test.object.text) {
				t.Fatalf("the object has no %q", test.from)
			}
			if found := strings.Join(customOf(t, test.object).problems(t, []byte(spoilt)), "\n"); !strings.Contains(found, test.want) {
				t.Errorf("the schema says %q, want %q", found, test.want)
			}
		})
	}
}
