package aws

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// prefixes are IAM's names of the services, by the SDK's.
var prefixes = map[string]string{
	"Cognito Identity Provider": "cognito-idp",
	"Secrets Manager":           "secretsmanager",
	"ECR":                       "ecr",
	"STS":                       "sts",
	"KMS":                       "kms",
}

// action names a call as IAM does.
func action(call *smithy.OperationError) string {
	if prefix, known := prefixes[call.Service()]; known {
		return prefix + ":" + call.Operation()
	}
	return call.Service() + ":" + call.Operation()
}

// ServiceTag is the tag of what is made for a service: it says for which, and only what has it is removed again.
const ServiceTag = "countersign:service"

// Partition is the first part of the ARNs of a region.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// unscoped are actions that IAM grants for all resources or not at all.
var unscoped = []string{
	"cognito-idp:CreateUserPool", "cognito-idp:ListUserPools", "cognito-idp:DescribeUserPoolDomain",
	"ecr:GetAuthorizationToken", "sts:GetCallerIdentity",
}

// Policy returns an IAM policy that allows the actions and no more, in a region of any account.
func Policy(region string, actions ...string) string {
	type statement struct {
		Effect   string
		Action   []string
		Resource string
	}
	byResource := map[string][]string{}
	for _, action := range actions {
		resource := resourceOf(region, action)
		byResource[resource] = append(byResource[resource], action)
	}
	document := struct {
		Version   string
		Statement []statement
	}{Version: "2012-10-17"}
	for resource, actions := range byResource {
		slices.Sort(actions)
		document.Statement = append(document.Statement, statement{"Allow", slices.Compact(actions), resource})
	}
	slices.SortFunc(document.Statement, func(a, b statement) int { return strings.Compare(a.Resource, b.Resource) })
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return "" // strings always encode
	}
	return string(text)
}

func resourceOf(region, action string) string {
	service, _, _ := strings.Cut(action, ":")
	arn := func(rest string) string {
		return "arn:" + Partition(region) + ":" + service + ":" + region + ":*:" + rest
	}
	switch {
	case slices.Contains(unscoped, action):
		return "*"
	case service == "cognito-idp":
		return arn("userpool/*")
	case service == "secretsmanager":
		return arn("secret:*")
	case service == "kms":
		return arn("key/*")
	case service == "ecr":
		return arn("repository/*")
	}
	return "*"
}
