package cluster

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

// Options are what is known beside the file.
type Options struct {
	// Now is the day to which the calendar of Amazon EKS is held. The zero value is today.
	Now time.Time

	// ExtendedSupport accepts a version whose standard support has ended, at a higher price.
	ExtendedSupport bool

	// SecretsKey is the ARN of the KMS key with which the Secrets of the cluster are encrypted. Without it Amazon EKS uses one of
	// its own.
	SecretsKey string

	// Associations leaves out all but the Pod Identity associations of the file's own pods: for a cluster that is there, as for
	// another environment of the same one.
	Associations bool
}

// Render returns the cluster of the file as YAML, and notes: what is to be known and is no mistake. Cfg is one that
// [config.Load] returned. The error has every mistake.
func Render(cfg *config.Config, o Options) (text []byte, notes []string, err error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if o.Associations {
		text, err := renderAssociations(cfg)
		return text, nil, err
	}
	notes, err = check(cfg, o)
	if err != nil {
		return nil, nil, err
	}
	c := clusterConfig{
		APIVersion:        apiVersion,
		Kind:              kind,
		Metadata:          meta{cfg.Cluster.Name, cfg.Pool.Region, cfg.Cluster.Version, map[string]string{"ManagedBy": "countersign", "Service": cfg.Service.Name}},
		UpgradePolicy:     upgradePolicy{"STANDARD"}, // at the end of standard support EKS updates the cluster, instead of charging for an old one
		AccessConfig:      access(cfg),
		VPC:               network(cfg),
		IAM:               iam{WithOIDC: true, PodIdentityAssociations: identities(cfg)},
		AddonsConfig:      addonsConfig{AutoApplyPodIdentityAssociations: true},
		Addons:            addons(cfg),
		ManagedNodeGroups: []nodeGroup{nodes(cfg)},
		CloudWatch:        cloudWatch{clusterLogging{[]string{"*"}, 30}},
	}
	if o.ExtendedSupport {
		c.UpgradePolicy.SupportType = "EXTENDED"
	}
	if o.SecretsKey != "" {
		c.SecretsEncryption = &secretsEncryption{o.SecretsKey}
	}
	text, err = dump(c)
	return text, notes, err
}

var kmsKey = regexp.MustCompile(`^arn:aws(?:-cn|-us-gov)?:kms:([a-z0-9-]+):[0-9]{12}:key/[a-zA-Z0-9-]+$`)

func check(cfg *config.Config, o Options) (notes []string, err error) {
	var problems []error
	at := func(member, format string, values ...any) {
		problems = append(problems, cfg.Problem(member, format, values...))
	}
	if cfg.Cluster.Name == "" {
		at("cluster.name", "is missing, and without it there is no cluster to write; write its name, and a version")
		return nil, errors.Join(problems...)
	}
	note, err := checkVersion(cfg.Cluster.Version, o.Now, o.ExtendedSupport)
	if err != nil {
		at("cluster.version", "%v", err)
	}
	if note != "" {
		notes = append(notes, note)
	}
	if m := kmsKey.FindStringSubmatch(o.SecretsKey); o.SecretsKey != "" && (m == nil || m[1] != cfg.Pool.Region) {
		problems = append(problems, fmt.Errorf("--secrets-key %s is no ARN of a KMS key in %s; one is such as arn:aws:kms:%s:123456789012:key/…", o.SecretsKey, cfg.Pool.Region, cfg.Pool.Region))
	}
	if cfg.Ingress.Host != "" && !within(cfg.Ingress.VPCCIDR, cfg.Cluster.VPCCIDR) {
		at("ingress.vpcCIDR", "%s is not in the network of the cluster's VPC, %s: the pods would refuse the load balancer; leave it out", cfg.Ingress.VPCCIDR, cfg.Cluster.VPCCIDR)
	}
	if len(cfg.Cluster.Admins) > 0 {
		notes = append(notes, "create the cluster as one of cluster.admins: nobody else has access to it; aws sts get-caller-identity says who you are")
	}
	if len(cfg.Cluster.PublicAccess) == 0 {
		notes = append(notes, "only the VPC reaches the Kubernetes API (cluster.publicAccess is empty): run eksctl and kubectl from inside it, as over a VPN")
	}
	if slices.Contains(cfg.Cluster.PublicAccess, "0.0.0.0/0") {
		notes = append(notes, "the whole world reaches the Kubernetes API (cluster.publicAccess has 0.0.0.0/0); name the networks of those who administer it")
	}
	return notes, errors.Join(problems...)
}

// within reports whether a network lies in another.
func within(inner, outer string) bool {
	a, errA := netip.ParsePrefix(inner)
	b, errB := netip.ParsePrefix(outer)
	return errA == nil && errB == nil && b.Contains(a.Addr()) && a.Bits() >= b.Bits()
}

// access gives the administrators an access entry each, and nobody a line in the ConfigMap aws-auth, of which no API keeps a record.
// Amazon EKS gives whoever creates the cluster an entry by itself. That would be a second one for an administrator who creates it, and
// CloudFormation takes the first ("already in use") for an error: so it is left out where administrators are named.
func access(cfg *config.Config) accessConfig {
	c := accessConfig{AuthenticationMode: "API", BootstrapClusterCreatorAdminPermissions: len(cfg.Cluster.Admins) == 0}
	for _, arn := range cfg.Cluster.Admins {
		policy := "arn:" + aws.Partition(cfg.Pool.Region) + ":eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
		c.AccessEntries = append(c.AccessEntries, accessEntry{arn, []accessPolicy{{policy, accessScope{"cluster"}}}})
	}
	return c
}

func network(cfg *config.Config) vpc {
	return vpc{
		CIDR:              cfg.Cluster.VPCCIDR,
		NAT:               nat{"Single"},
		ClusterEndpoints:  clusterEndpoints{PrivateAccess: true, PublicAccess: len(cfg.Cluster.PublicAccess) > 0},
		PublicAccessCIDRs: cfg.Cluster.PublicAccess,
	}
}

func nodes(cfg *config.Config) nodeGroup {
	return nodeGroup{
		Name:              "nodes",
		AMIFamily:         "AmazonLinux2023",
		InstanceTypes:     []string{cfg.Cluster.InstanceType},
		MinSize:           cfg.Cluster.MinNodes,
		DesiredCapacity:   cfg.Cluster.MinNodes,
		MaxSize:           cfg.Cluster.MaxNodes,
		Labels:            map[string]string{"role": "worker"},
		PrivateNetworking: true,
		VolumeEncrypted:   true,
		DisableIMDSv1:     true,
		DisablePodIMDS:    true, // a pod that reached the metadata service would have the node's role
	}
}

// addons are the parts of EKS that the service's objects need: without the network policies of vpc-cni a NetworkPolicy is a text,
// without metrics-server the HorizontalPodAutoscaler has nothing to go by.
func addons(cfg *config.Config) []addon {
	all := []addon{
		{Name: "eks-pod-identity-agent"},
		{Name: "vpc-cni", ConfigurationValues: `{"enableNetworkPolicy":"true"}`},
		{Name: "coredns"},
		{Name: "kube-proxy"},
		{Name: "metrics-server"},
	}
	if usesCSI(cfg) {
		// The driver itself is in the add-on. It looks for a rotated secret twice in the hour for which countersign rotate keeps the
		// old one; by its own default it would not look at all.
		all = append(all, addon{"aws-secrets-store-csi-driver-provider", `{"secrets-store-csi-driver":{"enableSecretRotation":true,"rotationPollInterval":"30m"}}`})
	}
	return all
}

// dump writes YAML as people do by hand.
func dump(value any) ([]byte, error) {
	return yaml.Dump(value, yaml.WithIndent(2), yaml.WithCompactSeqIndent(true), yaml.WithLineWidth(-1))
}
