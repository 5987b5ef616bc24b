package kubernetes_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A published file is read from the module that publishes it, where the go command keeps it. Requiring those modules for the sake
// of one file would bring all that they require into go.sum; a checksum here says as well that the file is the one meant.
type published struct{ module, file, sum string }

var (
	eksctlSchema = published{"github.com/weaveworks/eksctl@v0.230.0", "pkg/apis/eksctl.io/v1alpha5/assets/schema.json",
		"e6357c8f6ed98a86bfe3c4fd95dfb119ebd5d05bf513b53161f2089d3684a4cf"}
	secretProviderClass = published{"sigs.k8s.io/secrets-store-csi-driver@v1.4.8", "config/crd/bases/secrets-store.csi.x-k8s.io_secretproviderclasses.yaml",
		"ef1623b34403bb11311fc92763b5b364ba456a166f1637eeec8d29052dd115f3"}
	externalSecret = published{"github.com/external-secrets/external-secrets@v0.18.2", "config/crds/bases/external-secrets.io_externalsecrets.yaml",
		"e4c89ad3c0fb47e444e293e77597ac28e0713efa230064ed9029facc01bb5c4d"}
	secretStore = published{"github.com/external-secrets/external-secrets@v0.18.2", "config/crds/bases/external-secrets.io_secretstores.yaml",
		"9d6e8810e722efdbd06e8973df975e693d1fc87296a466e7af4cea91faaa94e9"}
)

// read downloads the module, once for each machine, and returns the file.
func (p published) read(t *testing.T) []byte {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", p.module)
	cmd.Dir = t.TempDir() // of no module: this one's go.sum says nothing of it
	// The checksum database does not know every one of them; the sum above is of what is used.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GONOSUMDB=github.com/external-secrets/*")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var module struct{ Dir, Error string }
	if json.Unmarshal(out, &module); err != nil || module.Error != "" {
		t.Fatalf("go mod download %s: %v %s\n%s", p.module, err, module.Error, stderr.Bytes())
	}
	data, err := os.ReadFile(filepath.Join(module.Dir, p.file))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != p.sum {
		t.Fatalf("%s of %s has the sum %x, want %s", p.file, p.module, sum, p.sum)
	}
	return data
}
