package issuer

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cmd/countersign/wholefile"
)

// A Secret prints as <redacted> in every way that a program prints things by accident.
type Secret string

const redacted = "<redacted>"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String returns <redacted>.
func (Secret) String() string { return redacted }

// GoString returns <redacted>.
func (Secret) GoString() string { return redacted }

// MarshalJSON encodes <redacted>.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue returns <redacted>.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Credentials are what AWS' tools sign with, and whose signature it is.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
	Name            string // of the user, for messages and for the audit; empty: the access key id
	Role            Role   // what the user may do; empty: Admin
}

// Validate says what is wrong with the credentials, never what the secret is.
func (c Credentials) Validate() error {
	switch {
	case c.AccessKeyID == "" || !isPlain(c.AccessKeyID):
		return errors.New("the access key id must be letters and digits")
	case c.SecretAccessKey == "":
		return errors.New("the secret access key is empty")
	case !isUserName(c.Name):
		return errors.New("the name must be letters, digits and +=,.@_-, at most 64 of them")
	}
	return c.Role.validate()
}

// NewCredentials returns random credentials in AWS' form: AKIA and 16 characters of base32, 40 characters of Base64.
func NewCredentials() Credentials {
	id, secret := make([]byte, 10), make([]byte, 30)
	rand.Read(id) // never fails, by its documentation
	rand.Read(secret)
	return Credentials{
		AccessKeyID:     "AKIA" + base32.StdEncoding.EncodeToString(id),
		SecretAccessKey: Secret(base64.StdEncoding.EncodeToString(secret)),
	}
}

// credentialsContext is where the sealed file belongs; see seal.Context.
var credentialsContext = seal.Context("credentials", "aws", "root")

// maxCredentials bounds the read of the file, which has some 150 bytes.
const maxCredentials = 4 << 10

// ReadCredentials opens the sealed credentials at path. Without a file the error is fs.ErrNotExist.
func ReadCredentials(path string, sealer *seal.Sealer) (Credentials, error) {
	f, err := os.Open(path)
	if err != nil {
		return Credentials{}, fmt.Errorf("issuer: credentials: %w", err)
	}
	defer f.Close()
	sealed, err := io.ReadAll(io.LimitReader(f, maxCredentials))
	if err != nil {
		return Credentials{}, fmt.Errorf("issuer: credentials: %w", err)
	}
	plain, err := sealer.Open(sealed, credentialsContext)
	if err != nil {
		return Credentials{}, fmt.Errorf("issuer: credentials %s: %w; or delete the file, and the next start makes new ones", path, err)
	}
	var stored struct{ AccessKeyID, SecretAccessKey string }
	if err := json.Unmarshal(plain, &stored); err != nil {
		return Credentials{}, fmt.Errorf("issuer: credentials %s: what was sealed is no JSON object of this program", path)
	}
	c := Credentials{AccessKeyID: stored.AccessKeyID, SecretAccessKey: Secret(stored.SecretAccessKey)}
	if err := c.Validate(); err != nil {
		return Credentials{}, fmt.Errorf("issuer: credentials %s: %w; or delete the file, and the next start makes new ones", path, err)
	}
	return c, nil
}

// OpenCredentials is [ReadCredentials] that makes new ones, once, if there is no file.
func OpenCredentials(path string, sealer *seal.Sealer) (Credentials, error) {
	c, err := ReadCredentials(path, sealer)
	if !errors.Is(err, fs.ErrNotExist) {
		return c, err
	}
	c = NewCredentials()
	plain, err := json.Marshal(map[string]string{"AccessKeyID": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey.Reveal()})
	if err != nil {
		return Credentials{}, fmt.Errorf("issuer: credentials: %w", err)
	}
	if err := wholefile.Replace(path, sealer.Seal(plain, credentialsContext), 0o600); err != nil {
		return Credentials{}, fmt.Errorf("issuer: write the credentials: %w", err)
	}
	return c, nil
}
