package provision

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

// object is a JSON object; encoding/json writes its members in the order of their names, the same bytes each time.
type object = map[string]any

// Export writes what is wanted as infrastructure code, in the format cloudformation or terraform. No secret is in it: the
// tool reads it from Cognito when it makes the client.
func Export(w Want, format string) ([]byte, error) {
	if w.Pool.ID != "" {
		return nil, fmt.Errorf("pool.id names a user pool that exists, and infrastructure code would make another: leave it out, or manage the pool with countersign provision")
	}
	switch format {
	case "cloudformation":
		return encode(cloudFormation(w))
	case "terraform":
		return encode(terraform(w))
	}
	return nil, fmt.Errorf("--export %s: write cloudformation or terraform", format)
}

func encode(document object) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(document)
	return b.Bytes(), err
}

// exported is what both formats say of a client.
type exported struct {
	WantClient
	key      string // unique, of letters and digits
	validity int32
	unit     types.TimeUnitsType
}

func (w Want) exported() []exported {
	var all []exported
	seen := map[string]bool{}
	for _, c := range w.Clients {
		base := pascal(c.Name)
		key := base
		for n := 2; seen[strings.ToLower(key)]; n++ {
			key = base + strconv.Itoa(n)
		}
		seen[strings.ToLower(key)] = true
		n, unit := validityOf(c.Validity)
		all = append(all, exported{c, key, n, unit})
	}
	return all
}

// pascal keeps letters and digits, as names in both formats have to: order-reader is OrderReader.
func pascal(name string) string {
	var b strings.Builder
	upper := true
	for _, r := range name {
		switch {
		case 'a' <= r && r <= 'z' && upper:
			b.WriteRune(r - 'a' + 'A')
			upper = false
		case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9':
			b.WriteRune(r)
			upper = false
		default:
			upper = true
		}
	}
	if b.Len() == 0 {
		return "X"
	}
	return b.String()
}

func (c exported) description(w Want) string {
	return "Credentials of the app client " + c.Name + " of " + w.Service
}

// inSecretsManager says whether the client's credentials are part of the infrastructure code. Those in files and in
// Kubernetes are written by `countersign provision`, which finds the pool that the code has made.
func (c exported) inSecretsManager() bool {
	return c.Secret != (config.SecretPlace{}) && c.Secret.SecretsManager != ""
}

// explicitFlows of a client: Cognito: left out, they are those of users with passwords.
var explicitFlows = []string{string(types.ExplicitAuthFlowsTypeAllowRefreshTokenAuth)}
