package manifests

import (
	"maps"
	"slices"
	"strconv"
)

// The seconds of a pod's end. When a pod is deleted, two things begin at once: the load balancer is told to send nothing new
// there, which takes it some seconds, and Kubernetes ends the pod. The pod therefore sleeps first and serves on meanwhile;
// then the service has its time to finish what it began; and the load balancer waits no longer for an answer than the pod
// lives: deregistrationDelay <= preStop+drain < gracePeriod.
const (
	preStop             = 20
	drain               = 10 // what http.Server.Shutdown is given by the service that countersign init writes
	deregistrationDelay = preStop + drain
	gracePeriod         = preStop + drain + 15
)

// idleTimeout is how long the load balancer keeps a quiet connection, in seconds. A service that closed it earlier than the
// load balancer would answer the next request on it with a reset, which the caller sees as 502: http.Server.IdleTimeout has to
// be longer.
const idleTimeout = 60

// user is the user and group that pods run as: nobody's in particular, and not root's.
const user = 65532

const portName = "http"

func (r *renderer) deployment() {
	labels := r.labels()
	if version := r.image.versionLabel(); version != "" {
		labels[labelVersion] = version
	}
	meta := r.meta(r.cfg.Service.Name)
	meta.Labels = labels
	spec := deploymentSpec{
		RevisionHistoryLimit:    3,
		ProgressDeadlineSeconds: 300,
		Selector:                r.selector(),
		Strategy:                strategy{"RollingUpdate", rollingUpdate{MaxSurge: 1, MaxUnavailable: 0}},
		Template:                podTemplate{podMetadata{labels}, r.pod()},
	}
	// With an autoscaler the number is its own: one that stood here would undo its work with every deployment.
	if !r.scales() {
		spec.Replicas = &r.cfg.Kubernetes.Replicas.Min
	}
	r.add("apps/v1", "Deployment", meta, deployment{spec})
}

func (r *renderer) pod() podSpec {
	volumes, mounts := r.secretVolumes()
	// Go's multipart reader and others write to the directory for temporary files; the root file system is read-only.
	volumes = append([]volume{{Name: "tmp", EmptyDir: &emptyDir{SizeLimit: "64Mi"}}}, volumes...)
	mounts = append([]volumeMount{{Name: "tmp", MountPath: "/tmp"}}, mounts...)
	security := podSecurityContext{RunAsNonRoot: true, RunAsUser: user, RunAsGroup: user, SeccompProfile: seccompProfile{"RuntimeDefault"}}
	if slices.ContainsFunc(volumes, func(v volume) bool { return v.Secret != nil }) {
		security.FSGroup, security.FSGroupChangePolicy = user, "OnRootMismatch" // the files of a Secret are root's, for this group to read
	}
	spec := podSpec{
		ServiceAccountName:            r.cfg.Service.Name,
		TerminationGracePeriodSeconds: gracePeriod,
		SecurityContext:               security,
		Containers:                    []container{r.container(mounts)},
		Volumes:                       volumes,
	}
	for _, name := range r.cfg.Image.PullSecrets {
		spec.ImagePullSecrets = append(spec.ImagePullSecrets, nameRef{name})
	}
	if r.cfg.Kubernetes.Replicas.Max > 1 {
		spec.TopologySpreadConstraints = []spread{r.spread("topology.kubernetes.io/zone"), r.spread("kubernetes.io/hostname")}
		spec.Affinity = &affinity{podAntiAffinity{[]weightedTerm{{100, podAffinityTerm{"kubernetes.io/hostname", r.selector()}}}}}
	}
	return spec
}

// spread asks for pods of one revision to be spread; a cluster that cannot do so still runs them.
func (r *renderer) spread(key string) spread {
	return spread{1, key, "ScheduleAnyway", r.selector(), []string{"pod-template-hash"}}
}

func (r *renderer) container(mounts []volumeMount) container {
	live := httpGet{Path: r.cfg.Service.Live, Port: portName}
	ready := httpGet{Path: r.cfg.Service.Ready, Port: portName}
	return container{
		Name:            r.cfg.Service.Name,
		Image:           r.image.text,
		ImagePullPolicy: r.pullPolicy(),
		Ports:           []containerPort{{portName, r.cfg.Service.Port, "TCP"}},
		Env:             r.env(),
		Resources:       r.resources(),
		StartupProbe:    probe{live, 2, 2, 30},
		LivenessProbe:   probe{live, 10, 2, 3},
		ReadinessProbe:  probe{ready, 5, 2, 2},
		Lifecycle:       lifecycle{preStopHandler{sleepAction{preStop}}}, // without a shell: the image has none
		SecurityContext: containerSecurityContext{
			ReadOnlyRootFilesystem: true, RunAsNonRoot: true, RunAsUser: user, RunAsGroup: user,
			Capabilities: capabilities{Drop: []string{"ALL"}}, SeccompProfile: seccompProfile{"RuntimeDefault"},
		},
		VolumeMounts: mounts,
	}
}

// pullPolicy pulls a digest once, for it cannot change, and a tag each time, for it can.
func (r *renderer) pullPolicy() string {
	if r.image.digest == "" {
		return "Always"
	}
	return "IfNotPresent"
}

func (r *renderer) resources() resources {
	res := r.cfg.Kubernetes.Resources
	out := resources{
		Requests: map[string]string{"cpu": res.CPU, "memory": res.Memory, "ephemeral-storage": "32Mi"},
		Limits:   map[string]string{"memory": res.MemoryLimit, "ephemeral-storage": "128Mi"},
	}
	if res.CPULimit != "" {
		out.Limits["cpu"] = res.CPULimit
	}
	return out
}

// env is what the guard and the Go runtime are told, and what the file adds, in the order of the names.
func (r *renderer) env() []envVar {
	values := r.ownEnv()
	maps.Copy(values, r.cfg.Kubernetes.Env) // checkEnv has refused those that are not the file's to set
	var all []envVar
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, envVar{name, values[name]})
	}
	return all
}

func (r *renderer) ownEnv() map[string]string {
	port := strconv.Itoa(r.cfg.Service.Port)
	env := map[string]string{
		"ADDR":                 ":" + port,
		"COUNTERSIGN_ISSUER":   r.issuer,
		"COUNTERSIGN_RESOURCE": r.cfg.Resource.Identifier,
		// Nine tenths: the collector works harder before the kernel kills, and what is not on Go's heap has its place.
		"GOMEMLIMIT": strconv.FormatInt(r.memory/10*9, 10),
		"PORT":       port,
	}
	if len(r.consumers) > 0 {
		env["COUNTERSIGN_CREDENTIALS_DIR"] = SecretsDir // as countersign dev has it, with another value
	}
	return env
}
