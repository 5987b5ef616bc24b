package provision

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// Kubectl runs the user's own kubectl.
type Kubectl struct {
	Context string // "" for the current one
}

// run gives stdin to kubectl: every user of a machine can read a command line, so that no secret is an argument.
func (k Kubectl) run(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	what := args[0] + " " + args[1]
	if k.Context != "" {
		args = append([]string{"--context", k.Context}, args...)
	}
	cmd := exec.CommandContext(ctx, "kubectl", args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return stdout.Bytes(), nil
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("kubectl is not on the PATH; install it, or write secretsManager or file as the client's secret")
	case errors.As(err, &exit):
		return nil, fmt.Errorf("kubectl %s: %s", what, firstLine(stderr.String()))
	}
	return nil, fmt.Errorf("kubectl: %w", err)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// kubernetesSecret keeps a credential in a Secret, with a key for each member, as it is mounted: clientcredentials.File
// reads the directory.
type kubernetesSecret struct {
	kubectl         Kubectl
	namespace, name string
	client          string
}

func (p kubernetesSecret) String() string {
	text := "Secret " + p.namespace + "/" + p.name + " of Kubernetes"
	if p.kubectl.Context != "" {
		text += " (context " + p.kubectl.Context + ")"
	}
	return text
}

// secretObject is what of a Secret matters here.
type secretObject struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   secretMetadata    `json:"metadata"`
	Type       string            `json:"type,omitempty"`
	Data       map[string][]byte `json:"data,omitempty"` // base64 on the wire
}

type secretMetadata struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
}

const secretIDKey, rotationKey = "client_secret_id", "rotation"

func (p kubernetesSecret) Read(ctx context.Context) (Stored, error) {
	out, err := p.kubectl.run(ctx, nil, "get", "secret", p.name, "--namespace", p.namespace, "--ignore-not-found", "--output=json")
	if err != nil || len(bytes.TrimSpace(out)) == 0 {
		return Stored{}, err
	}
	var object secretObject
	if json.Unmarshal(out, &object) != nil {
		return Stored{}, fmt.Errorf("%s: kubectl's answer is no Secret", p)
	}
	stored := Stored{Found: true}
	value := func(key string) string { return string(object.Data[key]) }
	if value("client_id") == "" && len(object.Data) > 0 {
		stored.Foreign = "has other keys than client_id and client_secret"
		return stored, nil
	}
	stored.Credential = Credential{
		ClientID: value("client_id"), ClientSecret: cognito.Secret(value("client_secret")), TokenEndpoint: value("token_endpoint"),
		Issuer: value("issuer"), Scope: value("scope"), SecretID: value(secretIDKey), Second: cognito.Secret(value("client_secret_2")),
	}
	if text := value(rotationKey); text != "" {
		stored.Credential.Rotation = new(Rotation)
		if json.Unmarshal([]byte(text), stored.Credential.Rotation) != nil {
			return Stored{}, fmt.Errorf("%s: the key %s is damaged", p, rotationKey)
		}
	}
	stored.Pending = stored.Credential.pending()
	return stored, nil
}

// Write applies the Secret on the server's side: the client's side would keep the secrets in an annotation too.
func (p kubernetesSecret) Write(ctx context.Context, _ Stored, c Credential) error {
	labels := map[string]string{"app.kubernetes.io/managed-by": "countersign"}
	data := map[string][]byte{}
	for key, value := range map[string]string{
		"client_id": c.ClientID, "client_secret": c.ClientSecret.Reveal(), "token_endpoint": c.TokenEndpoint, "issuer": c.Issuer, "scope": c.Scope,
		secretIDKey: c.SecretID, "client_secret_2": c.Second.Reveal(),
	} {
		if value != "" {
			data[key] = []byte(value)
		}
	}
	if c.Rotation != nil {
		text, err := json.Marshal(c.Rotation)
		if err != nil {
			return err
		}
		data[rotationKey] = text
	}
	if err := p.ensureNamespace(ctx); err != nil {
		return err
	}
	manifest, err := json.Marshal(secretObject{
		APIVersion: "v1", Kind: "Secret", Metadata: secretMetadata{p.name, p.namespace, labels}, Type: "Opaque", Data: data,
	})
	if err != nil {
		return err
	}
	return p.apply(ctx, manifest)
}

// Stage keeps the next secret as the second one, which clients try only when the first is refused.
func (p kubernetesSecret) Stage(ctx context.Context, before Stored, next Credential) error {
	return p.Write(ctx, before, before.Credential.staged(next))
}

// Promote swaps the two.
func (p kubernetesSecret) Promote(ctx context.Context, before Stored) error {
	return p.Write(ctx, before, *before.Pending)
}

// Soak: the kubelet renews a mounted Secret once a minute, and its own cache of it is about as old.
func (p kubernetesSecret) Soak() time.Duration { return 5 * time.Minute }

// ensureNamespace makes the namespace, if there is none: a service is often provisioned before it is first deployed. By the label destroy knows it
// again; deploy adds the others.
func (p kubernetesSecret) ensureNamespace(ctx context.Context) error {
	out, err := p.kubectl.run(ctx, nil, "get", "namespace", p.namespace, "--ignore-not-found", "--output=name")
	if err != nil || len(bytes.TrimSpace(out)) > 0 {
		return err
	}
	manifest, err := json.Marshal(secretObject{APIVersion: "v1", Kind: "Namespace", Metadata: secretMetadata{Name: p.namespace, Labels: map[string]string{"app.kubernetes.io/managed-by": "countersign"}}})
	if err != nil {
		return err
	}
	return p.apply(ctx, manifest)
}

func (p kubernetesSecret) apply(ctx context.Context, manifest []byte) error {
	_, err := p.kubectl.run(ctx, manifest, "apply", "--filename=-", "--server-side", "--force-conflicts", "--field-manager=countersign")
	if err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	return nil
}
