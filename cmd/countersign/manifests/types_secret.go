package manifests

// secretProviderClass is secrets-store.csi.x-k8s.io/v1, for the AWS provider.
type secretProviderClass struct {
	Spec secretProviderSpec `yaml:"spec"`
}

type secretProviderSpec struct {
	Provider   string            `yaml:"provider"`
	Parameters map[string]string `yaml:"parameters"`
}

// providedObject is one element of the parameter objects, which is YAML in a string.
type providedObject struct {
	ObjectName     string `yaml:"objectName"`
	ObjectType     string `yaml:"objectType"`
	ObjectAlias    string `yaml:"objectAlias"`
	FilePermission string `yaml:"filePermission"`
}

// secretStore is external-secrets.io/v1.
type secretStore struct {
	Spec secretStoreSpec `yaml:"spec"`
}

type secretStoreSpec struct {
	Provider storeProvider `yaml:"provider"`
}

type storeProvider struct {
	AWS awsStore `yaml:"aws"`
}

type awsStore struct {
	Service string     `yaml:"service"`
	Region  string     `yaml:"region"`
	Auth    *storeAuth `yaml:"auth,omitempty"`
}

type storeAuth struct {
	JWT storeJWT `yaml:"jwt"`
}

type storeJWT struct {
	ServiceAccountRef nameRef `yaml:"serviceAccountRef"`
}

type nameRef struct {
	Name string `yaml:"name"`
}

// externalSecret is external-secrets.io/v1.
type externalSecret struct {
	Spec externalSecretSpec `yaml:"spec"`
}

type externalSecretSpec struct {
	RefreshInterval string         `yaml:"refreshInterval"`
	SecretStoreRef  storeRef       `yaml:"secretStoreRef"`
	Target          secretTarget   `yaml:"target"`
	DataFrom        []secretSource `yaml:"dataFrom"`
}

type storeRef struct {
	Kind string `yaml:"kind"`
	Name string `yaml:"name"`
}

type secretTarget struct {
	Name           string `yaml:"name"`
	CreationPolicy string `yaml:"creationPolicy"`
	DeletionPolicy string `yaml:"deletionPolicy"`
}

type secretSource struct {
	Extract remoteRef `yaml:"extract"`
}

type remoteRef struct {
	Key string `yaml:"key"`
}
