package aws

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/fault"
)

// TestCloudFormationPassesItsLinter writes templates and has cfn-lint read them, with the schemas that come with it.
func TestCloudFormationPassesItsLinter(t *testing.T) {
	for name, file := range map[string]string{
		"a file and a secret":    ordersFile,
		"what has to be escaped": strings.ReplaceAll(strings.ReplaceAll(rotateFile, "orders.read", `"read${Secret}"`), "- {name: reader", `- {name: "read, er@=+"`),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, file, fault.New(nil))
			text := p.mustRun("provision", "--export", "cloudformation")
			if again := p.mustRun("provision", "--export", "cloudformation"); again != text {
				t.Error("the second export has other bytes")
			}
			if len(p.proxy.Calls()) > 0 {
				t.Errorf("an export calls %v", p.proxy.Calls())
			}
			if out, err := lint(t, text); err != nil {
				t.Errorf("%v\n%s\n%s", err, out, text)
			}
		})
	}
}

// TestAPIGatewayPassesTheLinter does so with the API in front of a service, for the policy of the demo.
func TestAPIGatewayPassesTheLinter(t *testing.T) {
	policy, err := os.ReadFile("../../examples/demo/testdata/authorization.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, ingress := range map[string]string{
		"a certificate of the file": `{host: api.example.com, cidrs: [10.0.0.0/16], scheme: internal, certificate: "arn:aws:acm:ap-southeast-1:123456789012:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"}`,
		"one that is a parameter":   `{host: api.example.com, cidrs: [10.0.0.0/16], scheme: internal, paths: [/api/demo]}`,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, ordersFile+"\ningress: "+ingress+"\n", fault.New(nil))
			if err := os.WriteFile(filepath.Join(p.dir, "openapi.json"), policy, 0o600); err != nil {
				t.Fatal(err)
			}
			text := p.mustRun("apigateway", "--issuer", "https://cognito-idp.ap-southeast-1.amazonaws.com/ap-southeast-1_AbCdEf123")
			if out, err := lint(t, text); err != nil {
				t.Errorf("%v\n%s\n%s", err, out, text)
			}
		})
	}
}

// TestTheLinterLints: one that finds nothing in a template that is wrong would prove nothing.
func TestTheLinterLints(t *testing.T) {
	p := newPlace(t, ordersFile, fault.New(nil))
	text := p.mustRun("provision", "--export", "cloudformation")
	for _, wrong := range [][2]string{{`"GenerateSecret"`, `"GenerateSecrets"`}, {`"Identifier"`, `"Identifyer"`}, {`"Ref": "UserPool"`, `"Ref": "UserPools"`}} {
		broken := strings.ReplaceAll(text, wrong[0], wrong[1])
		if out, err := lint(t, broken); err == nil || broken == text {
			t.Errorf("cfn-lint takes %s\n%s", wrong[1], out)
		}
	}
}

func lint(t *testing.T, template string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "template.json")
	if err := os.WriteFile(file, []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool(t, "cfn-lint"), "--regions", "ap-southeast-1", "--", file)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}
