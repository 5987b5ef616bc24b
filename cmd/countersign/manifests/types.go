package manifests

// The types below hold the fields of Kubernetes' own that are written here, and no other. Their names are Kubernetes'.

type metadata struct {
	Name        string            `yaml:"name"`
	Namespace   string            `yaml:"namespace,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

type labelSelector struct {
	MatchLabels map[string]string `yaml:"matchLabels,omitempty"`
}

type serviceAccount struct {
	AutomountServiceAccountToken bool `yaml:"automountServiceAccountToken"`
}

type deployment struct {
	Spec deploymentSpec `yaml:"spec"`
}

type deploymentSpec struct {
	Replicas                *int          `yaml:"replicas,omitempty"`
	RevisionHistoryLimit    int           `yaml:"revisionHistoryLimit"`
	ProgressDeadlineSeconds int           `yaml:"progressDeadlineSeconds"`
	Selector                labelSelector `yaml:"selector"`
	Strategy                strategy      `yaml:"strategy"`
	Template                podTemplate   `yaml:"template"`
}

type strategy struct {
	Type          string        `yaml:"type"`
	RollingUpdate rollingUpdate `yaml:"rollingUpdate"`
}

type rollingUpdate struct {
	MaxSurge       int `yaml:"maxSurge"`
	MaxUnavailable int `yaml:"maxUnavailable"`
}

type podTemplate struct {
	Metadata podMetadata `yaml:"metadata"`
	Spec     podSpec     `yaml:"spec"`
}

type podMetadata struct {
	Labels map[string]string `yaml:"labels"`
}

type podSpec struct {
	ServiceAccountName            string             `yaml:"serviceAccountName"`
	AutomountServiceAccountToken  bool               `yaml:"automountServiceAccountToken"`
	EnableServiceLinks            bool               `yaml:"enableServiceLinks"`
	TerminationGracePeriodSeconds int                `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               podSecurityContext `yaml:"securityContext"`
	ImagePullSecrets              []nameRef          `yaml:"imagePullSecrets,omitempty"`
	TopologySpreadConstraints     []spread           `yaml:"topologySpreadConstraints,omitempty"`
	Affinity                      *affinity          `yaml:"affinity,omitempty"`
	Containers                    []container        `yaml:"containers"`
	Volumes                       []volume           `yaml:"volumes"`
}

type podSecurityContext struct {
	RunAsNonRoot        bool           `yaml:"runAsNonRoot"`
	RunAsUser           int            `yaml:"runAsUser"`
	RunAsGroup          int            `yaml:"runAsGroup"`
	FSGroup             int            `yaml:"fsGroup,omitempty"`
	FSGroupChangePolicy string         `yaml:"fsGroupChangePolicy,omitempty"`
	SeccompProfile      seccompProfile `yaml:"seccompProfile"`
}

type seccompProfile struct {
	Type string `yaml:"type"`
}

type spread struct {
	MaxSkew           int           `yaml:"maxSkew"`
	TopologyKey       string        `yaml:"topologyKey"`
	WhenUnsatisfiable string        `yaml:"whenUnsatisfiable"`
	LabelSelector     labelSelector `yaml:"labelSelector"`
	MatchLabelKeys    []string      `yaml:"matchLabelKeys,omitempty"`
}

type affinity struct {
	PodAntiAffinity podAntiAffinity `yaml:"podAntiAffinity"`
}

type podAntiAffinity struct {
	Preferred []weightedTerm `yaml:"preferredDuringSchedulingIgnoredDuringExecution"`
}

type weightedTerm struct {
	Weight          int             `yaml:"weight"`
	PodAffinityTerm podAffinityTerm `yaml:"podAffinityTerm"`
}

type podAffinityTerm struct {
	TopologyKey   string        `yaml:"topologyKey"`
	LabelSelector labelSelector `yaml:"labelSelector"`
}
