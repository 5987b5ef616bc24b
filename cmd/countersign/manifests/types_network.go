package manifests

type service struct {
	Spec serviceSpec `yaml:"spec"`
}

type serviceSpec struct {
	Type     string            `yaml:"type"`
	Selector map[string]string `yaml:"selector"`
	Ports    []servicePort     `yaml:"ports"`
}

type servicePort struct {
	Name        string `yaml:"name"`
	Port        int    `yaml:"port"`
	TargetPort  string `yaml:"targetPort"`
	Protocol    string `yaml:"protocol"`
	AppProtocol string `yaml:"appProtocol"`
}

type ingress struct {
	Spec ingressSpec `yaml:"spec"`
}

type ingressSpec struct {
	IngressClassName string        `yaml:"ingressClassName"`
	Rules            []ingressRule `yaml:"rules"`
}

type ingressRule struct {
	Host string      `yaml:"host"`
	HTTP ingressHTTP `yaml:"http"`
}

type ingressHTTP struct {
	Paths []ingressPath `yaml:"paths"`
}

type ingressPath struct {
	Path     string         `yaml:"path"`
	PathType string         `yaml:"pathType"`
	Backend  ingressBackend `yaml:"backend"`
}

type ingressBackend struct {
	Service ingressService `yaml:"service"`
}

type ingressService struct {
	Name string          `yaml:"name"`
	Port ingressPortName `yaml:"port"`
}

type ingressPortName struct {
	Name string `yaml:"name"`
}

type networkPolicy struct {
	Spec networkPolicySpec `yaml:"spec"`
}

type networkPolicySpec struct {
	PodSelector labelSelector `yaml:"podSelector"`
	PolicyTypes []string      `yaml:"policyTypes"`
	Ingress     []ingressFrom `yaml:"ingress,omitempty"`
	Egress      []egressTo    `yaml:"egress,omitempty"`
}

type ingressFrom struct {
	From  []peer       `yaml:"from"`
	Ports []policyPort `yaml:"ports"`
}

type egressTo struct {
	To    []peer       `yaml:"to"`
	Ports []policyPort `yaml:"ports,omitempty"` // none is every port
}

type peer struct {
	IPBlock           *ipBlock       `yaml:"ipBlock,omitempty"`
	NamespaceSelector *labelSelector `yaml:"namespaceSelector,omitempty"`
	PodSelector       *labelSelector `yaml:"podSelector,omitempty"`
}

type ipBlock struct {
	CIDR string `yaml:"cidr"`
}

// policyPort names a port by its number, or by the name that the pod gives it.
type policyPort struct {
	Port     any    `yaml:"port"`
	Protocol string `yaml:"protocol"`
}

type disruptionBudget struct {
	Spec disruptionBudgetSpec `yaml:"spec"`
}

type disruptionBudgetSpec struct {
	MaxUnavailable             int           `yaml:"maxUnavailable"`
	UnhealthyPodEvictionPolicy string        `yaml:"unhealthyPodEvictionPolicy"`
	Selector                   labelSelector `yaml:"selector"`
}

type autoscaler struct {
	Spec autoscalerSpec `yaml:"spec"`
}

type autoscalerSpec struct {
	ScaleTargetRef scaleTarget `yaml:"scaleTargetRef"`
	MinReplicas    int         `yaml:"minReplicas"`
	MaxReplicas    int         `yaml:"maxReplicas"`
	Metrics        []metric    `yaml:"metrics"`
}

type scaleTarget struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Name       string `yaml:"name"`
}

type metric struct {
	Type     string         `yaml:"type"`
	Resource resourceMetric `yaml:"resource"`
}

type resourceMetric struct {
	Name   string       `yaml:"name"`
	Target metricTarget `yaml:"target"`
}

type metricTarget struct {
	Type               string `yaml:"type"`
	AverageUtilization int    `yaml:"averageUtilization"`
}
