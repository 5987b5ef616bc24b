package aws

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// before makes what the steps before it would have made, and plays the programs that are not the AWS CLI.
const before = `
set -euo pipefail
: >countersign.yaml
go() { :; }
cd() { :; }
sleep() { :; }
eksctl() { :; }
helm() { :; }
countersign() { :; }
aws() { [[ "$*" = "acm wait "* ]] || command aws "$@"; } # which looks once a minute
kubectl() { case "$*" in *"get ingress"*) echo "$MADE" ;; esac; }
ZONE=$(aws route53 create-hosted-zone --name example.com --caller-reference walk --query HostedZone.Id --output text)
SUBNETS=$(aws ec2 describe-subnets --query 'Subnets[:2].SubnetId' --output text)
MADE=$(aws elbv2 create-load-balancer --name walk --subnets $SUBNETS --query 'LoadBalancers[0].DNSName' --output text)
aws eks create-cluster --name token-demo --role-arn arn:aws:iam::123456789012:role/eks --resources-vpc-config "subnetIds=${SUBNETS//[[:space:]]/,}" >made
for CLIENT in readClient writeClient; do
  aws secretsmanager create-secret --name "token-demo/$CLIENT" --secret-string '{"client_id": "x", "client_secret": "y"}' --tags Key=countersign:service,Value=demo-api >made
done
aws logs create-log-group --log-group-name /aws/eks/token-demo/cluster
`

// after looks at what is left: of the zone only its own records, and of the secrets those that destroy would have removed.
const after = `
aws route53 list-resource-record-sets --hosted-zone-id "$ZONE" --query 'ResourceRecordSets[].Type' --output text
aws acm list-certificates --query 'length(CertificateSummaryList)'
`

// TestEKSWalk types the lines of docs/eks.md that are the AWS CLI's, as they stand there, at moto.
func TestEKSWalk(t *testing.T) {
	page, err := os.ReadFile("../../docs/eks.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(page, -1)
	lines := bytes.NewBufferString(before)
	for _, block := range blocks {
		lines.Write(block[1])
	}
	lines.WriteString(after)
	script := regexp.MustCompile(`(?m)^ZONE=Z.*$`).ReplaceAllString(lines.String(), "")
	if calls := strings.Count(script, "aws "); len(blocks) < 8 || calls < 25 {
		t.Fatalf("only %d blocks with %d calls were found", len(blocks), calls)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "walk.sh")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	walk := exec.CommandContext(t.Context(), "bash", file)
	walk.Dir = dir
	walk.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "AWS_ENDPOINT_URL=" + startMoto(t).String(), "AWS_ACCESS_KEY_ID=testing", "AWS_SECRET_ACCESS_KEY=testing",
		"AWS_DEFAULT_REGION=ap-southeast-1", "AWS_PAGER=",
	}
	out, err := walk.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	if !strings.HasSuffix(strings.TrimSpace(string(out)), "NS\tSOA\n0") {
		t.Errorf("a record or a certificate is left:\n%s", out)
	}
}
