package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// check holds members to each other. What is wrong with a member by itself has been said by then; one that is, or that is not
// there, is not held to others.
func (r *reader) check(c *Config) {
	c.values = r.values
	r.checkPool(c)
	r.checkScopes(c)
	r.checkClients(c)
	r.checkKubernetes(c)
	r.checkIngress(c)
	r.checkCluster(c)
}

// failMember reports a problem with the member at the effective path, or, if it is not written, with what it would stand in.
func (r *reader) failMember(path, format string, args ...any) {
	at := path
	for at != "" && r.values[at] == nil {
		at = at[:max(strings.LastIndexByte(at, '.'), 0)]
	}
	if v := r.values[at]; v != nil {
		r.failAt(v.Place, v.path+strings.TrimPrefix(path, at), format, args...)
	}
}

func (r *reader) written(path string) bool {
	v := r.values[path]
	return v != nil && v.kind != document.Null
}

// wellFormed reports whether no problem has been found with the member.
func (r *reader) wellFormed(path string) bool {
	v := r.values[path]
	for _, p := range r.problems {
		if v != nil && p.Place == v.Place && p.Path == v.path {
			return false
		}
	}
	return true
}

func (r *reader) checkPool(c *Config) {
	if region, _, _ := strings.Cut(c.Pool.ID, "_"); r.written("pool.id") && r.wellFormed("pool.id") && c.Pool.Region != "" && region != c.Pool.Region {
		r.failMember("pool.id", "%s is a pool of %s, and pool.region is %s; write the region that the pool is in", document.Quote(c.Pool.ID), document.Plain(region), document.Plain(c.Pool.Region))
	}
	r.checkDefaulted(c.Pool.Domain, "pool.domain", "pool.name", "service.name")
	r.checkDefaulted(c.Pool.Name, "pool.name", "service.name")
	r.checkDefaulted(c.Kubernetes.Namespace, "kubernetes.namespace", "service.name")
}

// checkDefaulted holds a member that took another's value to its own format: what is a good name is not always a good domain.
func (r *reader) checkDefaulted(text, path string, from ...string) {
	if r.written(path) || text == "" {
		return
	}
	for _, source := range from {
		if !r.written(source) {
			continue
		}
		if problem := root().find(path).format.problem(text); problem != "" && r.wellFormed(source) {
			r.failMember(path, "takes the value of %s, and %s", source, problem)
		}
		return
	}
}

// Cognito: what a resource server and a pool have at most, as the tags say it too.
const (
	maxScopes  = 100
	maxClients = 1000
)

func (r *reader) checkScopes(c *Config) {
	for i, scope := range c.Resource.Scopes {
		// Cognito: a client's scope has 256 characters at most, the resource server's identifier included.
		if full := c.Resource.Identifier + "/" + scope.Name; len(full) > 256 && len(scope.Name) <= 256 {
			r.failMember(fmt.Sprintf("resource.scopes[%d].name", i), "with the identifier before it the scope has %d characters, and Cognito grants none of more than 256; shorten one of the two", len(full))
		}
	}
}

func (r *reader) checkClients(c *Config) {
	if len(c.Resource.Scopes) > maxScopes || len(c.Clients) > maxClients {
		return // that has been said, and each of them against each would take long
	}
	var names []string
	for _, scope := range c.Resource.Scopes {
		names = append(names, scope.Name)
	}
	places := map[string]string{}
	for i, client := range c.Clients {
		path := fmt.Sprintf("clients[%d]", i)
		for j, scope := range client.Scopes[:min(len(client.Scopes), maxScopes)] {
			r.checkScope(c, fmt.Sprintf("%s.scopes[%d]", path, j), scope, names)
		}
		r.checkPlace(path+".secret", client, places)
	}
}

func (r *reader) checkScope(c *Config, path, scope string, names []string) {
	if scope == "" || slices.Contains(names, scope) {
		return
	}
	if short, found := strings.CutPrefix(scope, c.Resource.Identifier+"/"); found && c.Resource.Identifier != "" && slices.Contains(names, short) {
		r.failMember(path, "%s has the identifier before it; write %s", document.Quote(scope), short)
		return
	}
	advice := write(scope, names)
	if len(names) == 0 {
		advice = "write the resource's scopes, as resource: {scopes: [{name: " + document.Plain(scope) + "}]}"
	}
	r.failMember(path, "%s is no scope of the resource; %s", document.Quote(scope), advice)
}

// checkPlace holds a client to one place for its credentials, and each place to one client.
func (r *reader) checkPlace(path string, client Client, taken map[string]string) {
	var used []string
	for _, place := range []struct{ key, name string }{
		{"secretsManager", client.Secret.SecretsManager}, {"kubernetes", client.Secret.Kubernetes}, {"file", client.Secret.File},
	} {
		if place.name == "" {
			continue
		}
		if used = append(used, place.key); len(used) > 1 {
			r.failMember(path+"."+place.key, "the credentials of a client are written to one place, and %s names one already; keep one of the two", used[0])
		}
		id := place.key + " " + place.name
		if other, twice := taken[id]; twice && other != client.Name {
			r.failMember(path+"."+place.key, "the credentials of %s are written to %s too; write another name", document.Plain(other), document.Quote(place.name))
		}
		taken[id] = client.Name
	}
}

func (r *reader) checkKubernetes(c *Config) {
	k := c.Kubernetes
	if k.Identity == "irsa" && k.RoleARN == "" {
		r.failMember("kubernetes.roleArn", "is missing, and identity is irsa; write the ARN of the pods' IAM role")
	}
	if k.Identity != "irsa" && k.RoleARN != "" && slices.Contains(root().find("kubernetes.identity").enum, k.Identity) {
		r.failMember("kubernetes.roleArn", "identity is %s, which takes no role here; write identity: irsa, or take roleArn away", k.Identity)
	}
	if k.Replicas.Min > k.Replicas.Max {
		r.failMember("kubernetes.replicas.min", "%d is more than max, %d; write a smaller one", k.Replicas.Min, k.Replicas.Max)
	}
	r.checkUses(c)
	r.checkCalls(c)
	r.atMost("kubernetes.resources.cpu", k.Resources.CPU, "cpuLimit", k.Resources.CPULimit)
	r.atMost("kubernetes.resources.memory", k.Resources.Memory, "memoryLimit", k.Resources.MemoryLimit)
}

// atMost refuses a request above its limit, which the Kubernetes API does too, but later.
func (r *reader) atMost(path, request, limitName, limit string) {
	asked, _, ok := quantity(request)
	most, _, okLimit := quantity(limit)
	if ok && okLimit && asked.Cmp(most) > 0 {
		if !r.written(path) {
			path = path[:strings.LastIndexByte(path, '.')+1] + limitName
			r.failMember(path, "%s is less than the request, which is %s unless it is written; write both", limit, request)
			return
		}
		r.failMember(path, "%s is more than %s, %s; write a smaller one", request, limitName, limit)
	}
}

// checkUses holds the clients that the pods use to be ones of the file, kept where the pods get them from.
func (r *reader) checkUses(c *Config) {
	var names []string
	byName := map[string]Client{}
	for _, client := range c.Clients {
		names = append(names, client.Name)
		byName[client.Name] = client
	}
	for i, name := range c.Kubernetes.Uses[:min(len(c.Kubernetes.Uses), maxClients)] {
		path := fmt.Sprintf("kubernetes.uses[%d]", i)
		client, known := byName[name]
		if !known {
			r.failMember(path, "%s is no client of the file; %s", document.Quote(name), write(name, names))
			continue
		}
		if need, has := mounted(c, client.Secret); client.Secret != (SecretPlace{}) && !has {
			r.failMember(path, "kubernetes.secrets is %s, and the credentials of %s are not kept there; write secret: {%s: …} for that client", c.Kubernetes.Secrets, document.Plain(name), need)
		}
	}
}

func (r *reader) checkIngress(c *Config) {
	in := c.Ingress
	if in.Host == "" {
		for _, key := range []string{"certificate", "cidrs", "webACL", "trustStore", "group", "jwtValidation"} {
			if r.written("ingress."+key) && r.values["ingress.host"] == nil {
				r.failMember("ingress.host", "is missing, and ingress has other members; write the public host name, such as api.example.com")
				break
			}
		}
		return
	}
	if !r.written("ingress.cidrs") || len(in.CIDRs) == 0 {
		r.failMember("ingress.cidrs", `is missing; write the networks that may connect, or ["0.0.0.0/0", "::/0"] if the whole world may`)
	}
	for _, arn := range []struct{ path, text string }{{"ingress.certificate", in.Certificate}, {"ingress.webACL", in.WebACL}, {"ingress.trustStore", in.TrustStore}} {
		parts := strings.Split(arn.text, ":")
		if len(parts) > 3 && r.wellFormed(arn.path) && c.Pool.Region != "" && parts[3] != c.Pool.Region {
			r.failMember(arn.path, "is of region %s, and the load balancer is in %s; write one of that region", document.Plain(parts[3]), document.Plain(c.Pool.Region))
		}
	}
}

func (r *reader) checkCluster(c *Config) {
	cl := c.Cluster
	if cl.Name != "" && cl.Version == "" {
		r.failMember("cluster.version", `is missing; write the Kubernetes version, such as "1.35"`)
	}
	if cl.Name == "" && r.written("cluster.version") {
		r.failMember("cluster.name", "is missing; write the name of the cluster")
	}
	if cl.MinNodes > cl.MaxNodes {
		path := "cluster.minNodes"
		if !r.written(path) {
			path = "cluster.maxNodes"
		}
		r.failMember(path, "minNodes is %d and maxNodes is %d; write a minNodes that is not more", cl.MinNodes, cl.MaxNodes)
	}
	if network, err := netip.ParsePrefix(cl.VPCCIDR); err == nil && (!network.Addr().Is4() || network.Bits() < 16 || network.Bits() > 24) {
		r.failMember("cluster.vpcCIDR", "%s has the wrong size; write an IPv4 network from /16 to /24", document.Plain(cl.VPCCIDR))
	}
}
