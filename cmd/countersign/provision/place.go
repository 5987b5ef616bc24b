package provision

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

// Place is where the credentials of one client are kept.
type Place interface {
	// String names the place, as in a plan.
	String() string
	// Read returns what is there now. Nothing is not an error.
	Read(ctx context.Context) (Stored, error)
	// Write puts the credential there, whole or not at all. before is what Read returned.
	Write(ctx context.Context, before Stored, c Credential) error

	// Stage keeps the next credential of a rotation where a reader does not take it for the current one; Read returns it as
	// Pending from then on.
	Stage(ctx context.Context, before Stored, next Credential) error
	// Promote makes the pending credential the current one.
	Promote(ctx context.Context, before Stored) error
	// Soak is how long it takes, at most, until whoever reads the place has what was written to it.
	Soak() time.Duration
}

// Stored is what a [Place] holds.
type Stored struct {
	Found      bool
	Credential Credential
	Pending    *Credential // a rotation's next credential, where a place keeps it apart from the current one

	Foreign string // why it is not this program's to overwrite; "" if it is
	Leaving bool   // it is scheduled for deletion, and has to be restored first
	Loose   string // what is wrong with who may read it, as "mode 0644"; Write mends it

	pool string // of the tag PoolTag, where the place has tags
}

// Places makes the place of each client.
type Places struct {
	Dir         string // the directory of the file, to which paths are relative
	Environment string
	Local       bool // only files
	Service     string
	Secrets     *secretsmanager.Client // nil with Local
	Region      string
	Kubectl     Kubectl
	Namespace   string
}

// NewPlaces takes from the file what places need. secrets is nil for a local run.
func NewPlaces(cfg *config.Config, local bool, secrets *secretsmanager.Client, region string) Places {
	return Places{
		Dir: filepath.Dir(cfg.Path), Environment: cfg.Environment, Local: local, Service: cfg.Service.Name,
		Secrets: secrets, Region: region,
		Kubectl: Kubectl{Context: cfg.Kubernetes.Context}, Namespace: cfg.Kubernetes.Namespace,
	}
}

// FindContext asks kubectl for its current context, if a client's credentials go to a cluster and the file names none: the plan
// says which cluster it is, and that one it is, whatever becomes the current one meanwhile.
func (p *Places) FindContext(ctx context.Context, w Want) error {
	for _, c := range w.Clients {
		if p.Local || c.Secret.Kubernetes == "" || p.Kubectl.Context != "" {
			continue
		}
		out, err := p.Kubectl.run(ctx, nil, "config", "current-context")
		if err != nil {
			return err
		}
		p.Kubectl.Context = strings.TrimSpace(string(out))
	}
	return nil
}

// Of returns the place of a client's credentials, and what there is to say about it, or "".
func (p Places) Of(c WantClient) (place Place, note string) {
	switch {
	case p.Local:
		file := p.file(c.Name)
		switch {
		case c.Secret.SecretsManager != "":
			note = c.Name + ": the secret " + c.Secret.SecretsManager + " of Secrets Manager is the file " + file.String() + " here"
		case c.Secret.Kubernetes != "":
			note = c.Name + ": the Kubernetes Secret " + c.Secret.Kubernetes + " is the file " + file.String() + " here"
		case c.Secret.File != "":
			note = c.Name + ": the file " + c.Secret.File + " is " + file.String() + " here"
		}
		return file, note
	case c.Secret.SecretsManager != "":
		return secretsManager{p.Secrets, c.Secret.SecretsManager, p.Service, c.Name, p.Region}, ""
	case c.Secret.Kubernetes != "":
		return kubernetesSecret{p.Kubectl, p.Namespace, c.Secret.Kubernetes, c.Name}, ""
	case c.Secret.File != "":
		return file{path: p.relative(c.Secret.File)}, ""
	}
	return p.file(c.Name), ""
}

// file is the default place. Each environment, and the local system, has a directory of its own: otherwise a try on the
// laptop would replace the credentials of the cloud.
func (p Places) file(client string) file {
	dir := filepath.Join(p.Dir, ".countersign", "clients")
	sub := p.Environment
	if p.Local {
		sub = filepath.Join("local", p.Environment)
	}
	return file{path: filepath.Join(dir, sub, client+".json"), hidden: dir}
}

func (p Places) relative(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.Dir, path)
}
