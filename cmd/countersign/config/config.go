package config

import "time"

// Config is countersign.yaml with one environment laid over it.
//
// The tag yaml is the key in the file, doc what it means, as the JSON schema and docs/config.md have it; shape says the other tags.
type Config struct {
	Service    Service    `yaml:"service" doc:"the microservice"`
	Pool       Pool       `yaml:"pool" doc:"the Cognito user pool that issues the tokens"`
	Resource   Resource   `yaml:"resource" doc:"the resource server: what the scopes belong to"`
	Clients    []Client   `yaml:"clients" doc:"the app clients, each with the scopes that it may ask for" max:"1000"`
	Image      Image      `yaml:"image" doc:"the container image"`
	Kubernetes Kubernetes `yaml:"kubernetes" doc:"how the service runs in the cluster"`
	Ingress    Ingress    `yaml:"ingress" doc:"how the world reaches the service; without it, only the cluster does"`
	Cluster    Cluster    `yaml:"cluster" doc:"the Amazon EKS cluster"`

	Environment string // the name of the environment that was laid over the file; "" for none
	Path        string // the file, as it was named

	values map[string]*value // where each member stands, by its path
}

// Service is the user's program.
type Service struct {
	Name   string `yaml:"name" doc:"name of the service, and of what is made for it in Kubernetes" required:"true" format:"service"`
	Main   string `yaml:"main" doc:"the Go package of the program, as go build takes it; relative to this file" default:"./cmd/<service.name>, or . where that does not exist" format:"package"`
	Port   int    `yaml:"port" doc:"TCP port that the service listens on" default:"8080" min:"1" max:"65535"`
	Policy string `yaml:"policy" doc:"the OpenAPI document that says who may call which route; relative to this file" default:"openapi.json" format:"file"`
	Live   string `yaml:"live" doc:"path of the liveness probe; it must not depend on the issuer" default:"/livez" format:"urlpath"`
	Ready  string `yaml:"ready" doc:"path of the readiness probe; false while the service drains" default:"/readyz" format:"urlpath"`
}

// Pool is the Cognito user pool. Tokens of the client_credentials grant are its only use.
type Pool struct {
	Name               string `yaml:"name" doc:"name of the user pool" default:"service.name" format:"cognito-name"`
	Region             string `yaml:"region" doc:"AWS region of the pool, and of all else that is made on AWS" required:"true" format:"region"`
	Domain             string `yaml:"domain" doc:"prefix of the pool's domain, under which its token endpoint is; unique in the region" default:"pool.name" format:"domain"`
	ID                 string `yaml:"id" doc:"id of a pool that exists already; without it the pool is found by its name" format:"pool-id"`
	Account            string `yaml:"account" doc:"AWS account that provision, rotate and destroy insist on; without it they take that of the credentials, and show it" format:"account"`
	DeletionProtection *bool  `yaml:"deletionProtection" doc:"whether Cognito refuses to delete the pool" default:"true"`
}

// Resource is the resource server with its custom scopes.
type Resource struct {
	Identifier string  `yaml:"identifier" doc:"identifier of the resource server: a URL that names the API, and the prefix of its scopes" required:"true" format:"identifier"`
	Name       string  `yaml:"name" doc:"name of the resource server" default:"service.name" format:"cognito-resource"`
	Scopes     []Scope `yaml:"scopes" doc:"the custom scopes" max:"100"`
}

// Scope is one custom scope, without the identifier before it.
type Scope struct {
	Name        string `yaml:"name" doc:"name of the scope" required:"true" format:"scope"`
	Description string `yaml:"description" doc:"what it allows, for people" default:"name" format:"description"`
}

// Client is an app client of the client_credentials grant.
type Client struct {
	Name                string        `yaml:"name" doc:"name of the app client; unique in this file" required:"true" format:"client"`
	Scopes              []string      `yaml:"scopes" doc:"scopes that it may ask for, as the resource names them" required:"true" format:"granted" min:"1" max:"50"`
	AccessTokenValidity time.Duration `yaml:"accessTokenValidity" doc:"life of its access tokens, 5m to 24h" default:"1h" min:"5m" max:"24h"`
	Secret              SecretPlace   `yaml:"secret" doc:"where its credentials are written: one place; without it a file under .countersign/" merge:"replace"`
}

// SecretPlace is where a client's credentials go. One member is set at most; none means a file under .countersign/. An environment that
// names a place takes the file's away.
type SecretPlace struct {
	SecretsManager string `yaml:"secretsManager" doc:"name of a secret in AWS Secrets Manager" format:"secret-name"`
	Kubernetes     string `yaml:"kubernetes" doc:"name of a Kubernetes Secret in kubernetes.namespace" format:"subdomain"`
	File           string `yaml:"file" doc:"path of a file of mode 0600; relative to this file" format:"file"`
}

// Image is the container image of the service.
type Image struct {
	Repository  string   `yaml:"repository" doc:"repository with registry, without tag, such as 123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/orders" format:"repository"`
	Base        string   `yaml:"base" doc:"base image, by digest; without it the image holds the binary, CA certificates and time zones only" format:"image"`
	PullSecrets []string `yaml:"pullSecrets" doc:"names of Kubernetes Secrets in kubernetes.namespace with which nodes log in to the registry; Amazon ECR needs none" format:"subdomain"`
	Platforms   []string `yaml:"platforms" doc:"platforms to build for" default:"[linux/amd64, linux/arm64]" format:"platform" min:"1"`
}

// Kubernetes is how the service runs in the cluster.
type Kubernetes struct {
	Namespace string            `yaml:"namespace" doc:"namespace; it is made, and belongs to the service" default:"service.name" format:"label"`
	Context   string            `yaml:"context" doc:"kubectl context that deploy and destroy insist on; without it they show the current one and ask" format:"context"`
	Replicas  Replicas          `yaml:"replicas" doc:"how many pods"`
	Resources Resources         `yaml:"resources" doc:"what one pod asks for and may use"`
	Secrets   string            `yaml:"secrets" doc:"how pods get the credentials of the clients that they use" default:"csi" enum:"csi,external-secrets,secret"`
	Uses      []string          `yaml:"uses" doc:"names of the clients whose credentials the pods mount, under /var/run/secrets/countersign/<client>"`
	Calls     []Call            `yaml:"calls" doc:"the services that this one calls" max:"100"`
	Env       map[string]string `yaml:"env" doc:"environment variables; never a secret" keys:"env-name"`
	Egress    []string          `yaml:"egress" doc:"networks that the pods may connect to on port 443, beside DNS" default:"[0.0.0.0/0, \"::/0\"]" format:"cidr"`
	Identity  string            `yaml:"identity" doc:"how pods get AWS credentials" default:"pod-identity" enum:"pod-identity,irsa,none"`
	RoleARN   string            `yaml:"roleArn" doc:"IAM role of the pods, where identity is irsa" format:"role"`
}

// Call is a service that this one calls. The client that it does so with is one of that service's file.
type Call struct {
	Name      string      `yaml:"name" doc:"name of the service; the credentials for it are mounted under /var/run/secrets/countersign/<name>" required:"true" format:"service"`
	Namespace string      `yaml:"namespace" doc:"its namespace, where it runs in the same cluster: the pods may connect to its pods, beside the networks of egress" format:"label"`
	Secret    SecretPlace `yaml:"secret" doc:"the place that its file names for the credentials of this service, its client" merge:"replace"`
}

// Replicas bounds the HorizontalPodAutoscaler. Equal bounds mean none.
type Replicas struct {
	Min int `yaml:"min" doc:"fewest pods" default:"2" min:"1"`
	Max int `yaml:"max" doc:"most pods" default:"replicas.min, or 6 where min is not given" min:"1"`
}

// Resources are Kubernetes quantities.
type Resources struct {
	CPU         string `yaml:"cpu" doc:"CPU request of a pod" default:"100m" format:"cpu"`
	CPULimit    string `yaml:"cpuLimit" doc:"CPU limit of a pod; without it there is none" format:"cpu"`
	Memory      string `yaml:"memory" doc:"memory request of a pod" default:"64Mi" format:"memory"`
	MemoryLimit string `yaml:"memoryLimit" doc:"memory limit of a pod; GOMEMLIMIT follows it" default:"128Mi" format:"memory"`
}

// Ingress is the load balancer in front of the service, as the AWS Load Balancer Controller makes it.
type Ingress struct {
	Host          string            `yaml:"host" doc:"public host name; without it there is no Ingress" format:"host"`
	Paths         []string          `yaml:"paths" doc:"path prefixes that are let through" default:"[/]" format:"prefix" min:"1"`
	Certificate   string            `yaml:"certificate" doc:"ARN of the ACM certificate; without it the controller finds one by the host" format:"certificate"`
	CIDRs         []string          `yaml:"cidrs" doc:"networks that may connect; 0.0.0.0/0 must be written to be meant" format:"cidr"`
	Scheme        string            `yaml:"scheme" doc:"whether the world or only the VPC reaches it" default:"internet-facing" enum:"internet-facing,internal"`
	SSLPolicy     string            `yaml:"sslPolicy" doc:"security policy of the HTTPS listener" default:"ELBSecurityPolicy-TLS13-1-2-2021-06" format:"ssl-policy"`
	WebACL        string            `yaml:"webACL" doc:"ARN of a regional WAFv2 web ACL, or none to take one away" format:"web-acl"`
	TrustStore    string            `yaml:"trustStore" doc:"ARN of a trust store of Elastic Load Balancing: callers have to show a certificate that it trusts; or none to ask for none again" format:"trust-store"`
	Group         string            `yaml:"group" doc:"name of a load balancer that the Ingresses of several services share; whoever may make Ingresses in the cluster can join it" format:"group"`
	JWTValidation bool              `yaml:"jwtValidation" doc:"whether the load balancer checks the token's signature and issuer too"`
	VPCCIDR       string            `yaml:"vpcCIDR" doc:"network of the load balancer's addresses, from which pods take connections" default:"cluster.vpcCIDR" format:"cidr"`
	Tags          map[string]string `yaml:"tags" doc:"tags of the load balancer" keys:"tag-name" format:"tag-value" max:"50"`
}

// Cluster is the Amazon EKS cluster, for eksctl.
type Cluster struct {
	Name         string   `yaml:"name" doc:"name of the cluster" format:"cluster"`
	Version      string   `yaml:"version" doc:"Kubernetes version, such as 1.35; one that Amazon EKS supports" format:"version"`
	InstanceType string   `yaml:"instanceType" doc:"EC2 instance type of the nodes" default:"t3.medium" format:"instance-type"`
	MinNodes     int      `yaml:"minNodes" doc:"fewest nodes" default:"2" min:"1"`
	MaxNodes     int      `yaml:"maxNodes" doc:"most nodes" default:"4" min:"1"`
	VPCCIDR      string   `yaml:"vpcCIDR" doc:"network of the cluster's VPC" default:"192.168.0.0/16" format:"cidr"`
	Admins       []string `yaml:"admins" doc:"ARNs of IAM principals who administer the cluster" format:"principal"`
	PublicAccess []string `yaml:"publicAccess" doc:"networks that may reach the Kubernetes API; without it only the VPC does" format:"cidr"`
}
