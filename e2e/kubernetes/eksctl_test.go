package kubernetes_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

const clusterTestdata = root + "/cmd/countersign/cluster/testdata"

func eksctl(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(eksctlSchema.read(t)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("eksctl.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("eksctl.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func asJSON(t *testing.T, text []byte) any {
	t.Helper()
	data, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// clusterOf types countersign cluster for a variant of its package. The version is one that no calendar ends.
func clusterOf(t *testing.T, file string, args ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "countersign.yaml")
	write(t, path, strings.Replace(string(text), `version: "1.35"`, `version: "1.99"`, 1))
	return run(t, append([]string{"cluster", "--file", path}, args...)...)
}

// TestEksctlTakesTheCluster holds the cluster files to the schema that eksctl itself validates them with.
func TestEksctlTakesTheCluster(t *testing.T) {
	schema := eksctl(t)
	files, err := filepath.Glob(clusterTestdata + "/*.good.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		asYAML, inJSON := asJSON(t, clusterOf(t, file)), asJSON(t, clusterOf(t, file, "--output", "json"))
		if err := schema.Validate(asYAML); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if !reflect.DeepEqual(asYAML, inJSON) {
			t.Errorf("%s: --output json is another cluster", file)
		}
	}
	options := clusterOf(t, clusterTestdata+"/full.good.yaml", "--extended-support", "--secrets-key", "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d")
	if err := schema.Validate(asJSON(t, options)); err != nil {
		t.Errorf("with every flag: %v", err)
	}
	if err := schema.Validate(asJSON(t, clusterOf(t, clusterTestdata+"/full.good.yaml", "--associations"))); err != nil {
		t.Errorf("the associations alone: %v", err)
	}
}

func TestEksctlCanRefuse(t *testing.T) {
	schema := eksctl(t)
	text := string(clusterOf(t, clusterTestdata+"/full.good.yaml", "--extended-support"))
	for _, test := range []struct{ from, to, want string }{
		{"cloudWatch:", "cloudwatch:", "cloudwatch"},
		{"privateNetworking: true", "privateNetworking: 'true'", "privateNetworking"},
		{"  region: eu-west-1\n", "", "region"},
		{"awsLoadBalancerController: true", "albController: true", "albController"},
		{"publicAccessCIDRs:\n  - 203.0.113.0/24", "publicAccessCIDRs: 203.0.113.0/24", "publicAccessCIDRs"},
		{"supportType: EXTENDED", "support: EXTENDED", "support"},
	} {
		t.Run(test.from, func(t *testing.T) {
			spoilt := strings.Replace(text, test.from, test.to, 1)
			if spoilt == text {
				t.Fatalf("the cluster has no %q", test.from)
			}
			if err := schema.Validate(asJSON(t, []byte(spoilt))); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the schema says %v, want something of %s", err, test.want)
			}
		})
	}
}
