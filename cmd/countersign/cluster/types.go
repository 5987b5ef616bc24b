package cluster

// The types below hold the members of eksctl's ClusterConfig (eksctl.io/v1alpha5) that are written here, and no other.

const (
	apiVersion = "eksctl.io/v1alpha5"
	kind       = "ClusterConfig"
)

type clusterConfig struct {
	APIVersion        string             `yaml:"apiVersion"`
	Kind              string             `yaml:"kind"`
	Metadata          meta               `yaml:"metadata"`
	UpgradePolicy     upgradePolicy      `yaml:"upgradePolicy"`
	AccessConfig      accessConfig       `yaml:"accessConfig"`
	VPC               vpc                `yaml:"vpc"`
	IAM               iam                `yaml:"iam"`
	AddonsConfig      addonsConfig       `yaml:"addonsConfig"`
	Addons            []addon            `yaml:"addons"`
	ManagedNodeGroups []nodeGroup        `yaml:"managedNodeGroups"`
	SecretsEncryption *secretsEncryption `yaml:"secretsEncryption,omitempty"`
	CloudWatch        cloudWatch         `yaml:"cloudWatch"`
}

// associations is a ClusterConfig of which eksctl create podidentityassociation reads all.
type associations struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name   string `yaml:"name"`
		Region string `yaml:"region"`
	} `yaml:"metadata"`
	IAM struct {
		PodIdentityAssociations []podIdentity `yaml:"podIdentityAssociations"`
	} `yaml:"iam"`
}

type meta struct {
	Name    string            `yaml:"name"`
	Region  string            `yaml:"region"`
	Version string            `yaml:"version"`
	Tags    map[string]string `yaml:"tags"`
}

type upgradePolicy struct {
	SupportType string `yaml:"supportType"`
}

type accessConfig struct {
	AuthenticationMode                      string        `yaml:"authenticationMode"`
	BootstrapClusterCreatorAdminPermissions bool          `yaml:"bootstrapClusterCreatorAdminPermissions"`
	AccessEntries                           []accessEntry `yaml:"accessEntries,omitempty"`
}

type accessEntry struct {
	PrincipalARN   string         `yaml:"principalARN"`
	AccessPolicies []accessPolicy `yaml:"accessPolicies"`
}

type accessPolicy struct {
	PolicyARN   string      `yaml:"policyARN"`
	AccessScope accessScope `yaml:"accessScope"`
}

type accessScope struct {
	Type string `yaml:"type"`
}

type vpc struct {
	CIDR              string           `yaml:"cidr"`
	NAT               nat              `yaml:"nat"`
	ClusterEndpoints  clusterEndpoints `yaml:"clusterEndpoints"`
	PublicAccessCIDRs []string         `yaml:"publicAccessCIDRs,omitempty"`
}

type nat struct {
	Gateway string `yaml:"gateway"`
}

type clusterEndpoints struct {
	PrivateAccess bool `yaml:"privateAccess"`
	PublicAccess  bool `yaml:"publicAccess"`
}

type iam struct {
	WithOIDC                bool          `yaml:"withOIDC"`
	PodIdentityAssociations []podIdentity `yaml:"podIdentityAssociations"`
}

type podIdentity struct {
	Namespace            string             `yaml:"namespace"`
	ServiceAccountName   string             `yaml:"serviceAccountName"`
	CreateServiceAccount bool               `yaml:"createServiceAccount,omitempty"`
	WellKnownPolicies    *wellKnownPolicies `yaml:"wellKnownPolicies,omitempty"`
	PermissionPolicy     *permissionPolicy  `yaml:"permissionPolicy,omitempty"`
}

type wellKnownPolicies struct {
	AWSLoadBalancerController bool `yaml:"awsLoadBalancerController"`
}

// permissionPolicy is an IAM policy; its members have IAM's names.
type permissionPolicy struct {
	Version   string      `yaml:"Version"`
	Statement []statement `yaml:"Statement"`
}

type statement struct {
	Effect   string   `yaml:"Effect"`
	Action   []string `yaml:"Action"`
	Resource []string `yaml:"Resource"`
}

type addonsConfig struct {
	AutoApplyPodIdentityAssociations bool `yaml:"autoApplyPodIdentityAssociations"`
}

type addon struct {
	Name                string `yaml:"name"`
	ConfigurationValues string `yaml:"configurationValues,omitempty"`
}

type nodeGroup struct {
	Name              string            `yaml:"name"`
	AMIFamily         string            `yaml:"amiFamily"`
	InstanceTypes     []string          `yaml:"instanceTypes"`
	MinSize           int               `yaml:"minSize"`
	DesiredCapacity   int               `yaml:"desiredCapacity"`
	MaxSize           int               `yaml:"maxSize"`
	Labels            map[string]string `yaml:"labels"`
	PrivateNetworking bool              `yaml:"privateNetworking"`
	VolumeEncrypted   bool              `yaml:"volumeEncrypted"`
	DisableIMDSv1     bool              `yaml:"disableIMDSv1"`
	DisablePodIMDS    bool              `yaml:"disablePodIMDS"`
}

type secretsEncryption struct {
	KeyARN string `yaml:"keyARN"`
}

type cloudWatch struct {
	ClusterLogging clusterLogging `yaml:"clusterLogging"`
}

type clusterLogging struct {
	EnableTypes        []string `yaml:"enableTypes"`
	LogRetentionInDays int      `yaml:"logRetentionInDays"`
}
