package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// provision is the walk's console clicks as lines of the AWS CLI: a pool, a resource server with two scopes, and two
// clients with one scope each. It leaves their credentials in variables.
const provision = `
idp() { aws --endpoint-url "$AWS_ENDPOINT_URL" --region "$AWS_REGION" --output json cognito-idp "$@"; }
pool=$(idp create-user-pool --pool-name orders | jq -r .UserPool.Id)
idp create-user-pool-domain --user-pool-id "$pool" --domain orders-demo >/dev/null
idp create-resource-server --user-pool-id "$pool" --identifier https://api.example.com --name Gateway \
  --scopes ScopeName=demo.read,ScopeDescription='Demo Read role' ScopeName=demo.write,ScopeDescription='Demo Write role' >/dev/null
client() {
  idp create-user-pool-client --user-pool-id "$pool" --client-name "$1" --generate-secret --supported-identity-providers COGNITO \
    --allowed-o-auth-flows client_credentials --allowed-o-auth-flows-user-pool-client --allowed-o-auth-scopes "https://api.example.com/$2" |
    jq -r '.UserPoolClient | .ClientId + ":" + .ClientSecret'
}
reader=$(client readClient demo.read) writer=$(client writeClient demo.write)
issuer=${COUNTERSIGN_ISSUER%/*}/$pool
token() { curl -s -u "$1" -d grant_type=client_credentials "$issuer/oauth2/token" | jq -r .access_token; }
`

// awsCLIs are the AWS CLIs of this machine: Debian's, which is old, and another one where there is one.
func awsCLIs(t *testing.T) []string {
	t.Helper()
	need(t, "bash", "curl", "jq", "aws")
	seen := map[string]bool{}
	var found []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		file := filepath.Join(dir, "aws")
		if _, err := exec.LookPath(file); err != nil {
			continue
		}
		real, err := filepath.EvalSymlinks(file)
		if err != nil || seen[real] || exec.Command(file, "--version").Run() != nil {
			continue
		}
		seen[real] = true
		found = append(found, file)
	}
	if len(found) == 0 {
		t.Fatal("no AWS CLI runs here")
	}
	return found
}

// TestAWSCLI provisions a pool of the user's own with the real AWS CLI, runs the demo service against it, and calls it.
func TestAWSCLI(t *testing.T) {
	for _, cli := range awsCLIs(t) {
		t.Run(strings.ReplaceAll(strings.TrimPrefix(cli, "/"), "/", "-"), func(t *testing.T) {
			s := newSystem(t)
			// Version 1 of the CLI would fetch a resource server whose identifier is a URL.
			config := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(config, []byte("[default]\ncli_follow_urlparam = false\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			env := append(s.start(), "AWS_CONFIG_FILE="+config, "PATH="+filepath.Dir(cli)+":"+os.Getenv("PATH"))
			demo := filepath.Join(t.TempDir(), "demo")
			build := exec.Command("go", "build", "-o", demo, "./examples/demo/cmd/demo")
			build.Dir = ".."
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got, err := s.bash(append(env, "DEMO="+demo), provision+`
COUNTERSIGN_ISSUER=$issuer COUNTERSIGN_RESOURCE=https://api.example.com ADDR=127.0.0.1:0 "$DEMO" 2>"$STATE/demo.log" & demo=$!
trap 'kill -TERM $demo; wait $demo' EXIT
until grep -qs " addr=" "$STATE/demo.log"; do kill -0 $demo; sleep 0.1; done
ADDR=$(sed -n 's/.* addr=\([^ ]*\) .*/\1/p' "$STATE/demo.log")
path=http://$ADDR/api/demo/protectedRole/sample-username
status() { curl -s -o /dev/null -w '%{http_code}\n' "$@"; }
status "$path"
status -H "Authorization: Bearer $(token "$writer")" "$path"
status -H "Authorization: Bearer $(token "$reader")" "$path"
curl -s -H "Authorization: Bearer $(token "$writer")" -H 'Content-Type: application/json' -d '{"c":"d","a":"b"}' "http://$ADDR/api/demo/protectedUpload"
`)
			const want = "401\n403\n200\nReceived: {a=b, c=d}"
			if err != nil || got != want {
				t.Errorf("%v; got\n%s\nwant\n%s", err, got, want)
			}
		})
	}
}
