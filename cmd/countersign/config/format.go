package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// A format is what a text must look like. Its pattern is in the JSON schema too, so it is one that both Go and ECMA-262 understand.
type format struct {
	name    string
	noun    string // with its article: what the text should be
	advice  string // what to write
	pattern *regexp.Regexp
	max     int // characters; 0 for no bound
	check   func(text string) string
}

func (f *format) problem(text string) string {
	length := utf8.RuneCountInString(text)
	switch {
	case f.max > 0 && length > f.max:
		return fmt.Sprintf("%s has %d characters; %s has %d at most", document.Quote(text), length, f.noun, f.max)
	case f.pattern != nil && !f.pattern.MatchString(text):
		return fmt.Sprintf("%s is not %s; write %s", document.Quote(text), f.noun, f.advice)
	case f.check != nil:
		return f.check(text)
	}
	return ""
}

func formatNamed(name string) *format {
	if name == "" {
		return nil
	}
	for _, f := range formats {
		if f.name == name {
			return f
		}
	}
	panic("config: there is no format " + name)
}

const nameAdvice = "lower-case letters, digits and - between them, such as orders-api"

// formats are all that a tag can name. The rules of Cognito are those of its API model, the rules of Kubernetes those of its
// validation, and both are narrowed only where another program in the way is narrower.
var formats = []*format{
	{name: "service", noun: "a name for a Kubernetes Service", advice: "a letter first, then " + nameAdvice, pattern: pattern(`[a-z]([-a-z0-9]*[a-z0-9])?`), max: 63}, // RFC 1035 label
	{name: "label", noun: "a Kubernetes name", advice: nameAdvice, pattern: pattern(`[a-z0-9]([-a-z0-9]*[a-z0-9])?`), max: 63},                                        // RFC 1123 label
	{name: "subdomain", noun: "a name for a Kubernetes object", advice: nameAdvice, pattern: pattern(`[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*`), max: 253},
	{name: "package", noun: "a Go package in this directory", advice: "a path that begins with ./, such as ./cmd/orders", pattern: pattern(`\.(/[^\s]*)?`), max: 1024, check: noParent},
	{name: "file", noun: "a path of a file", advice: "a path without line ends, relative to this file", pattern: pattern(`[^\x00-\x1f]+`), max: 1024},
	{name: "urlpath", noun: "a path of a URL", advice: "a path that begins with /, such as /api/orders, without ? and #", pattern: pattern(`/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*`), max: 1024, check: plainPath},
	{name: "prefix", noun: "a prefix of paths", advice: "it as /api/orders: it covers all beneath it, without * and without a slash at its end", pattern: pattern(`/|(/[A-Za-z0-9\-._~!$&'()+,=:@]+)+`), max: 1024, check: plainPath},

	{name: "cognito-name", noun: "a name for Cognito", advice: "letters, digits, spaces and _ + = , . @ -", pattern: pattern(`[A-Za-z0-9_\s+=,.@-]+`), max: 128},
	// Credentials stand in a directory or file of the client's name, which . and .. are not, nor what a line end is in.
	{name: "client", noun: "a name of an app client here", advice: "a letter, a digit or _ first, then these, spaces and + = , . @ -, without a space at the end", pattern: pattern(`[A-Za-z0-9_]([A-Za-z0-9_ +=,.@-]*[A-Za-z0-9_+=,.@-])?`), max: 128},
	{name: "cognito-resource", noun: "a name for Cognito", advice: "letters, digits, spaces and _ + = , . @ -", pattern: pattern(`[A-Za-z0-9_\s+=,.@-]+`), max: 256},
	{name: "pool-id", noun: "the id of a user pool", advice: "it as ap-southeast-1_AbCdEf123", pattern: pattern(`[a-z0-9-]+_[0-9a-zA-Z]+`), max: 55},
	{name: "domain", noun: "a prefix of a user pool's domain", advice: nameAdvice, pattern: pattern(`[a-z0-9]([a-z0-9-]*[a-z0-9])?`), max: 63, check: noReservedWord},
	{name: "identifier", noun: "an identifier of a resource server", advice: "a URL, such as https://api.example.com", pattern: pattern(`[\x21\x23-\x5B\x5D-\x7E]+`), max: 256, check: bareURL},
	{name: "scope", noun: "a name of a scope", advice: "it without spaces, quotes, backslashes and slashes, such as demo.read", pattern: pattern(`[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]+`), max: 256},
	{name: "granted", noun: "a name of a scope", advice: "it as resource.scopes has it, such as demo.read", pattern: pattern(`.+`), max: 513},
	{name: "description", noun: "a description", advice: "it in up to 256 characters", pattern: pattern(`[^\x00-\x1f]+`), max: 256},

	{name: "region", noun: "an AWS region", advice: "it as ap-southeast-1", pattern: pattern(`[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}`), max: 32},
	{name: "secret-name", noun: "a name in AWS Secrets Manager", advice: "letters, digits and / _ + = . @ -, such as orders/reader", pattern: pattern(`[A-Za-z0-9/_+=.@-]+`), max: 512},
	{name: "account", noun: "the id of an AWS account", advice: "its 12 digits in quotes, such as \"123456789012\"", pattern: pattern(`[0-9]{12}`)},
	{name: "role", noun: "the ARN of an IAM role", advice: "it as arn:aws:iam::123456789012:role/orders", pattern: pattern(`arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+`), max: 2048},
	{name: "principal", noun: "the ARN of an IAM role or user", advice: "it as arn:aws:iam::123456789012:role/admin", pattern: pattern(`arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+`), max: 2048},
	{name: "certificate", noun: "the ARN of an ACM certificate", advice: "it as arn:aws:acm:ap-southeast-1:123456789012:certificate/0a1b…", pattern: pattern(`arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+`), max: 2048},
	{name: "web-acl", noun: "the ARN of a regional WAFv2 web ACL", advice: "it as arn:aws:wafv2:ap-southeast-1:123456789012:regional/webacl/edge/0a1b…, or none", pattern: pattern(`(none|arn:aws[a-z-]*:wafv2:[a-z0-9-]+:[0-9]{12}:regional/webacl/[A-Za-z0-9_-]+/[A-Za-z0-9-]+)`), max: 2048},
	{name: "ssl-policy", noun: "a security policy of a load balancer", advice: "it as ELBSecurityPolicy-TLS13-1-2-2021-06", pattern: pattern(`ELBSecurityPolicy-[A-Za-z0-9-]+`), max: 128},
	{name: "instance-type", noun: "an EC2 instance type", advice: "it as t3.medium", pattern: pattern(`[a-z][a-z0-9-]*\.[a-z0-9-]+`), max: 64},
	{name: "cluster", noun: "a name of a cluster", advice: "a letter first, then letters, digits and -, such as production", pattern: pattern(`[A-Za-z][A-Za-z0-9-]*`), max: 100},
	{name: "version", noun: "a Kubernetes version", advice: `it in quotes, such as "1.35"`, pattern: pattern(`1\.[0-9]{2}`)},

	{name: "repository", noun: "an image repository", advice: "it with its registry and without tag, such as 123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/orders", pattern: pattern(`([a-zA-Z0-9-]+\.[a-zA-Z0-9.-]+|localhost|[a-zA-Z0-9.-]+:[0-9]{1,5}|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?(/[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*)+`), max: 255},
	{name: "image", noun: "an image by digest", advice: "it as registry.example.com/base@sha256:<64 hexadecimal digits>", pattern: pattern(`[^\s@]+@sha256:[0-9a-f]{64}`), max: 512},
	{name: "platform", noun: "a platform", advice: "it as linux/amd64 or linux/arm64", pattern: pattern(`linux/[a-z0-9]+(/[a-z0-9]+)?`), max: 64},

	{name: "trust-store", noun: "the ARN of a trust store", advice: "it as arn:aws:elasticloadbalancing:ap-southeast-1:123456789012:truststore/partners/0a1b2c3d4e5f6071, or none", pattern: pattern(`none|arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:truststore/[A-Za-z0-9-]+/[0-9a-f]+`), max: 2048},
	{name: "group", noun: "a name of a group of Ingresses", advice: "lower-case letters, digits, - and . between them, such as partners", pattern: pattern(`[a-z0-9]([-.a-z0-9]*[a-z0-9])?`), max: 63},
	{name: "context", noun: "a kubectl context", advice: "a name as kubectl config get-contexts shows it", pattern: pattern(`[^\x00-\x20-][^\x00-\x1f]*`), max: 512},
	{name: "env-name", noun: "a name of an environment variable", advice: "letters, digits and _, as LOG_LEVEL", pattern: pattern(`[A-Za-z_][A-Za-z0-9_]*`), max: 256},
	{name: "host", noun: "a host name", advice: "it without scheme, port and path, such as api.example.com", pattern: pattern(`[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+`), max: 253, check: noAddress},
	{name: "cidr", noun: "a network", advice: "it as 10.0.0.0/8 or 203.0.113.7/32", pattern: pattern(`[0-9a-fA-F:.]+(/[0-9]{1,3})?`), max: 43, check: network},
	{name: "tag-name", noun: "a name of an AWS tag", advice: "letters, digits, spaces and _ . : / = + @ -", pattern: pattern(`[^,=\x00-\x1f]+`), max: 128, check: noAWSTag},
	{name: "tag-value", noun: "a value of an AWS tag", advice: "letters, digits, spaces and _ . : / = + @ -", pattern: pattern(`[^,=\x00-\x1f]*`), max: 256},
	{name: "cpu", noun: "an amount of CPU", advice: "it as 100m or 0.5", pattern: pattern(`[0-9]{1,9}(\.[0-9]{1,3})?m?`), check: cpuAmount},
	{name: "memory", noun: "an amount of memory", advice: "it as 64Mi or 1Gi", pattern: pattern(`[0-9]{1,15}(\.[0-9]{1,9})?([mkMGTP]|[KMGTP]i)?`), check: memoryAmount},
}

func pattern(text string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + text + `)$`) }

func noParent(text string) string {
	for part := range strings.SplitSeq(text, "/") {
		if part == ".." {
			return fmt.Sprintf("%s leaves the directory of the file; write a path beneath it", document.Quote(text))
		}
	}
	return ""
}

// plainPath refuses paths that a load balancer, an edge and a router may read differently.
func plainPath(text string) string {
	for part := range strings.SplitSeq(text[1:], "/") {
		if part == "." || part == ".." {
			return fmt.Sprintf("%s has a dot segment; write the path that it stands for", document.Quote(text))
		}
	}
	if strings.Contains(text, "//") {
		return fmt.Sprintf("%s has an empty segment; write one slash", document.Quote(text))
	}
	return ""
}

// noReservedWord refuses what Cognito does not let a prefix contain.
func noReservedWord(text string) string {
	for _, word := range []string{"aws", "amazon", "cognito"} {
		if strings.Contains(text, word) {
			return fmt.Sprintf("%s contains %s, which Cognito keeps for itself; write another prefix", document.Quote(text), word)
		}
	}
	return ""
}

// bareURL holds the identifier to what a scope can be split at: the guard takes what follows the last slash for the scope's name.
func bareURL(text string) string {
	scheme, rest, _ := strings.Cut(text, "://")
	switch {
	case (scheme != "https" && scheme != "http") || rest == "":
		return fmt.Sprintf("%s is not a URL; write it with https://, such as https://api.example.com", document.Quote(text))
	case strings.HasSuffix(text, "/"):
		return fmt.Sprintf("%s ends with a slash; write %s", document.Quote(text), document.Plain(strings.TrimRight(text, "/")))
	case strings.ContainsAny(text, "?#"):
		return fmt.Sprintf("%s has a query or a fragment; write scheme, host and path", document.Quote(text))
	}
	return ""
}

func noAddress(text string) string {
	if _, err := netip.ParseAddr(text); err == nil {
		return fmt.Sprintf("%s is an address; write a host name, such as api.example.com", document.Quote(text))
	}
	return ""
}

func network(text string) string {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
			return fmt.Sprintf("%s is not a network; write %s/%d", document.Quote(text), addr, addr.BitLen())
		}
		return fmt.Sprintf("%s is not a network; write it as 10.0.0.0/8 or 203.0.113.7/32", document.Quote(text))
	}
	if masked := prefix.Masked(); masked != prefix {
		return fmt.Sprintf("%s has bits of a host; write %s", document.Quote(text), masked)
	}
	return ""
}

func noAWSTag(text string) string {
	if strings.HasPrefix(strings.ToLower(text), "aws:") {
		return fmt.Sprintf("%s begins with aws:, which AWS keeps for itself; write another name", document.Quote(text))
	}
	return ""
}
