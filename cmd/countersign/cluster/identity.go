package cluster

import (
	"regexp"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

// identities give each pod that calls AWS a role of its own, by EKS Pod Identity: nothing is left to the role of the nodes.
func identities(cfg *config.Config) []podIdentity {
	return append([]podIdentity{{
		Namespace:            "kube-system",
		ServiceAccountName:   "aws-load-balancer-controller",
		CreateServiceAccount: true,
		WellKnownPolicies:    &wellKnownPolicies{AWSLoadBalancerController: true},
	}}, readers(cfg)...)
}

// readers are those who read the credentials of the clients that the pods use.
func readers(cfg *config.Config) []podIdentity {
	secrets := secretARNs(cfg)
	switch {
	case len(secrets) == 0:
	case cfg.Kubernetes.Secrets == "external-secrets" && cfg.Kubernetes.Identity != "irsa":
		// The operator reads as itself. These are the actions that its documentation asks for, on the named secrets alone.
		return []podIdentity{{
			Namespace: "external-secrets", ServiceAccountName: "external-secrets", CreateServiceAccount: true,
			PermissionPolicy: readPolicy(secrets, "secretsmanager:GetResourcePolicy", "secretsmanager:ListSecretVersionIds"),
		}}
	case cfg.Kubernetes.Secrets == "csi" && cfg.Kubernetes.Identity == "pod-identity":
		// countersign manifests writes the ServiceAccount.
		return []podIdentity{{
			Namespace: cfg.Kubernetes.Namespace, ServiceAccountName: cfg.Service.Name, PermissionPolicy: readPolicy(secrets),
		}}
	}
	return nil
}

func renderAssociations(cfg *config.Config) ([]byte, error) {
	a := associations{APIVersion: apiVersion, Kind: kind}
	a.Metadata.Name, a.Metadata.Region = cfg.Cluster.Name, cfg.Pool.Region
	a.IAM.PodIdentityAssociations = readers(cfg)
	switch {
	case cfg.Cluster.Name == "":
		return nil, cfg.Problem("cluster.name", "is missing, and the associations belong to a cluster; write its name, and a version")
	case len(a.IAM.PodIdentityAssociations) == 0:
		return nil, cfg.Problem("kubernetes.uses", "there is no association to make: nothing reads Secrets Manager by Pod Identity for the pods")
	}
	return dump(a)
}

func readPolicy(secrets []string, more ...string) *permissionPolicy {
	actions := append([]string{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"}, more...)
	return &permissionPolicy{"2012-10-17", []statement{{"Allow", actions, secrets}}}
}

func usesCSI(cfg *config.Config) bool {
	return cfg.Kubernetes.Secrets == "csi" && len(secretARNs(cfg)) > 0
}

// secretARNs are the secrets of the clients that the pods use, and of the services that they call. Secrets Manager adds a hyphen and six characters to a name; with
// six question marks the policy is about that name, while a star would let it be about longer ones too.
func secretARNs(cfg *config.Config) []string {
	if cfg.Kubernetes.Secrets == "secret" {
		return nil
	}
	var all []string
	add := func(name string) {
		if name != "" {
			all = append(all, "arn:"+aws.Partition(cfg.Pool.Region)+":secretsmanager:"+cfg.Pool.Region+":"+account(cfg)+":secret:"+name+"-??????")
		}
	}
	for _, name := range cfg.Kubernetes.Uses {
		for _, client := range cfg.Clients {
			if client.Name == name {
				add(client.Secret.SecretsManager)
			}
		}
	}
	for _, call := range cfg.Kubernetes.Calls {
		add(call.Secret.SecretsManager)
	}
	return all
}

var (
	ecrAccount = regexp.MustCompile(`^([0-9]{12})\.dkr\.ecr\.`)
	arnAccount = regexp.MustCompile(`^arn:[a-z-]+:[a-z0-9]+:[a-z0-9-]*:([0-9]{12}):`)
)

// account is the AWS account, as the file or its names of things in it have it; * if there are none, which in a policy of an
// identity is still its own account's secrets, and others' only where those allow it as well.
func account(cfg *config.Config) string {
	if cfg.Pool.Account != "" {
		return cfg.Pool.Account
	}
	if m := ecrAccount.FindStringSubmatch(cfg.Image.Repository); m != nil {
		return m[1]
	}
	for _, arn := range append([]string{cfg.Ingress.Certificate, cfg.Ingress.WebACL, cfg.Kubernetes.RoleARN}, cfg.Cluster.Admins...) {
		if m := arnAccount.FindStringSubmatch(arn); m != nil {
			return m[1]
		}
	}
	return "*"
}
