package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign"
)

// Config is what the template is made of. All members are required, but for Certificate.
type Config struct {
	Name        string // of the API
	Host        string // public host name; the load balancer's Ingress has it too
	Issuer      string // https
	Certificate string // ARN of the host's certificate; without it the template has a parameter for it
	Policy      countersign.Policy
}

// object is a JSON object; encoding/json writes its members in the order of their names, the same bytes each time.
type object = map[string]any

// The quotas of one HTTP API that cannot be seen in a template.
const maxRoutes = 300

// Template returns the CloudFormation template as JSON. The error has every mistake.
func (c Config) Template() ([]byte, error) {
	routes, problems := routesOf(c.Policy, c.Host)
	if len(routes) == 0 && len(problems) == 0 {
		problems = append(problems, errors.New("httpapi: the policy has no route that the host lets through"))
	}
	if len(routes) > maxRoutes {
		problems = append(problems, fmt.Errorf("httpapi: there are %d routes, and Amazon API Gateway takes %d in an API; narrow ingress.paths, or put the load balancer in front alone", len(routes), maxRoutes))
	}
	if !strings.HasPrefix(c.Issuer, "https://") {
		problems = append(problems, fmt.Errorf("httpapi: the issuer %s is not https: Amazon API Gateway could not fetch its keys", c.Issuer))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	resources := c.resources()
	for i, r := range routes {
		resources["Route"+strconv.Itoa(i+1)] = r.resource()
	}
	return encode(object{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              "HTTP API in front of " + c.Name + ", with the routes and scopes of its policy",
		"Parameters":               c.parameters(),
		"Conditions":               object{"MutualTLS": object{"Fn::Not": []any{object{"Fn::Equals": []any{ref("TrustStore"), ""}}}}},
		"Resources":                resources,
		"Outputs": object{
			"DomainName":   object{"Value": att("Domain", "RegionalDomainName"), "Description": "of the alias record for " + c.Host},
			"HostedZoneId": object{"Value": att("Domain", "RegionalHostedZoneId"), "Description": "of the alias record for " + c.Host},
		},
	})
}

func (c Config) parameters() object {
	all := object{
		"Clients":        object{"Type": "CommaDelimitedList", "Description": "ids of the app clients that may call: Cognito's tokens for machines carry no aud, and the authorizer takes client_id in its place"},
		"Listener":       object{"Type": "String", "Description": "ARN of the HTTPS listener of the Ingress' load balancer", "AllowedPattern": "arn:aws[a-z-]*:elasticloadbalancing:.*:listener/app/.*"},
		"Subnets":        object{"Type": "List<AWS::EC2::Subnet::Id>", "Description": "private subnets of the cluster's VPC"},
		"SecurityGroups": object{"Type": "List<AWS::EC2::SecurityGroup::Id>", "Description": "security groups of the link into the VPC"},
		"TrustStore":     object{"Type": "String", "Default": "", "Description": "s3://BUCKET/KEY of the authorities whose certificates callers have to show; empty to ask for none"},
	}
	if c.Policy.Profile == countersign.RFC9068 {
		delete(all, "Clients")
	}
	if c.Certificate == "" {
		all["Certificate"] = object{"Type": "String", "Description": "ARN of the certificate of " + c.Host, "AllowedPattern": "arn:aws[a-z-]*:acm:.*"}
	}
	return all
}

func (c Config) resources() object {
	var audience, certificate any = ref("Clients"), c.Certificate
	if c.Policy.Profile == countersign.RFC9068 {
		audience = []string{c.Policy.Resource}
	}
	if c.Certificate == "" {
		certificate = ref("Certificate")
	}
	return object{
		// The API's own address would be a way in past the certificates that callers have to show.
		"Api": resource("Api", object{"Name": c.Name, "ProtocolType": "HTTP", "DisableExecuteApiEndpoint": true}),
		"Authorizer": resource("Authorizer", object{
			"ApiId": ref("Api"), "Name": "tokens", "AuthorizerType": "JWT", "IdentitySource": []string{"$request.header.Authorization"},
			"JwtConfiguration": object{"Issuer": c.Issuer, "Audience": audience},
		}),
		"Link": resource("VpcLink", object{"Name": c.Name, "SubnetIds": ref("Subnets"), "SecurityGroupIds": ref("SecurityGroups")}),
		"Integration": resource("Integration", object{
			"ApiId": ref("Api"), "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "PayloadFormatVersion": "1.0",
			"ConnectionType": "VPC_LINK", "ConnectionId": ref("Link"), "IntegrationUri": ref("Listener"),
			"TlsConfig": object{"ServerNameToVerify": c.Host},
			// The rule of the Ingress is about the host.
			"RequestParameters": object{"overwrite:header.Host": c.Host},
		}),
		"Stage": resource("Stage", object{"ApiId": ref("Api"), "StageName": "$default", "AutoDeploy": true}),
		"Domain": resource("DomainName", object{
			"DomainName":               c.Host,
			"DomainNameConfigurations": []object{{"CertificateArn": certificate, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}},
			"MutualTlsAuthentication":  object{"Fn::If": []any{"MutualTLS", object{"TruststoreUri": ref("TrustStore")}, ref("AWS::NoValue")}},
		}),
		"Mapping": resource("ApiMapping", object{"ApiId": ref("Api"), "DomainName": ref("Domain"), "Stage": ref("Stage")}),
	}
}

func (r route) resource() object {
	properties := object{"ApiId": ref("Api"), "RouteKey": r.key, "Target": object{"Fn::Sub": "integrations/${Integration}"}, "AuthorizationType": "NONE"}
	if !r.open {
		properties["AuthorizationType"], properties["AuthorizerId"] = "JWT", ref("Authorizer")
		if len(r.scopes) > 0 {
			properties["AuthorizationScopes"] = r.scopes
		}
	}
	return resource("Route", properties)
}

func resource(kind string, properties object) object {
	return object{"Type": "AWS::ApiGatewayV2::" + kind, "Properties": properties}
}

func ref(name string) object { return object{"Ref": name} }

func att(name, attribute string) object { return object{"Fn::GetAtt": []string{name, attribute}} }

func encode(document object) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(document)
	return b.Bytes(), err
}
