package manifests_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/manifests"
)

// place is file, line and column.
var place = regexp.MustCompile(`^testdata/full\.good\.yaml:[0-9]+:[0-9]+: `)

// TestMistakes trips each check with one change to a file that is right.
func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*config.Config)
		want   string
	}{
		{"privileged port", func(c *config.Config) { c.Service.Port = 80 }, "service.port: 80 needs a privilege"},
		{"wildcard in a probe's path", func(c *config.Config) { c.Service.Live = "/live*" }, "service.live: /live* has a wildcard"},
		{"the cluster's own namespace", func(c *config.Config) { c.Kubernetes.Namespace = "kube-system" }, "kubernetes.namespace: kube-system is the cluster's own"},
		{"no issuer", func(c *config.Config) { c.Pool.ID = "" }, "pool.id: the issuer is not known"},
		{"memory in bytes", func(c *config.Config) { c.Kubernetes.Resources.MemoryLimit = "128" }, "kubernetes.resources.memoryLimit: 128 is less than 16Mi"},
		{"credentials in a file", func(c *config.Config) { c.Clients[0].Secret = config.SecretPlace{} }, "kubernetes.uses[0]: the credentials of readClient are not in Secrets Manager"},
		{"credentials in Secrets Manager, and the pods want a Secret", func(c *config.Config) { c.Kubernetes.Secrets = "secret" }, "kubernetes.uses[0]: the credentials of readClient are not in a Kubernetes Secret"},
		{"two clients of one name", func(c *config.Config) { c.Clients[1].Name = "ReadClient"; c.Kubernetes.Uses[1] = "ReadClient" }, `kubernetes.uses[1]: "ReadClient" and "readClient" have one name in Kubernetes, "readclient"`},
		{"a service of a client's name", func(c *config.Config) { c.Kubernetes.Calls[0].Name = "readclient" }, `kubernetes.calls[0]: "readclient" and "readClient" have one name in Kubernetes`},
		{"a service's credentials in a Secret, and the pods want Secrets Manager", func(c *config.Config) { c.Kubernetes.Calls[0].Secret = config.SecretPlace{Kubernetes: "stock"} }, "kubernetes.calls[0]: the credentials of stock are not in Secrets Manager"},
		{"issuer in the environment", func(c *config.Config) { c.Kubernetes.Env["COUNTERSIGN_ISSUER"] = "https://other.example.com" }, "kubernetes.env.COUNTERSIGN_ISSUER: is set from pool.id"},
		{"resource in the environment", func(c *config.Config) { c.Kubernetes.Env["COUNTERSIGN_RESOURCE"] = "https://other.example.com" }, "kubernetes.env.COUNTERSIGN_RESOURCE: is set from resource.identifier"},
		{"credentials' directory in the environment", func(c *config.Config) { c.Kubernetes.Env["COUNTERSIGN_CREDENTIALS_DIR"] = "/elsewhere" }, "kubernetes.env.COUNTERSIGN_CREDENTIALS_DIR: is set from kubernetes.uses"},
		{"port in the environment", func(c *config.Config) { c.Kubernetes.Env["PORT"] = "1" }, "kubernetes.env.PORT: is set from service.port"},
		{"secret in the environment", func(c *config.Config) { c.Kubernetes.Env["READER_CLIENT_SECRET"] = "hunter2" }, "kubernetes.env.READER_CLIENT_SECRET: is a secret by its name"},
		{"nowhere to connect to", func(c *config.Config) { c.Kubernetes.Egress = nil }, "kubernetes.egress: is empty"},
		{"TLS 1.0", func(c *config.Config) { c.Ingress.SSLPolicy = "ELBSecurityPolicy-2016-08" }, "ingress.sslPolicy: ELBSecurityPolicy-2016-08 is no security policy that keeps to TLS 1.2"},
		{"TLS 1.1", func(c *config.Config) { c.Ingress.SSLPolicy = "ELBSecurityPolicy-TLS13-1-1-2021-06" }, "ingress.sslPolicy"},
		{"the world past the load balancer", func(c *config.Config) { c.Ingress.VPCCIDR = "0.0.0.0/0" }, "ingress.vpcCIDR: 0.0.0.0/0 lets every address reach the pods"},
		{"backslash in a tag", func(c *config.Config) { c.Ingress.Tags = map[string]string{"Team": `a\b`} }, "ingress.tags.Team: the controller takes a backslash for an escape"},
		{"space around a tag", func(c *config.Config) { c.Ingress.Tags = map[string]string{"Team": " a"} }, "ingress.tags.Team: the controller cuts off the space"},
		{"the controller's tag", func(c *config.Config) { c.Ingress.Tags = map[string]string{"elbv2.k8s.aws/cluster": "mine"} }, "belongs to the controller"},
		{"jwtValidation with ES256", func(c *config.Config) { c.Kubernetes.Env["COUNTERSIGN_ALGORITHMS"] = "RS256,ES256" }, "ingress.jwtValidation: is true, and kubernetes.env.COUNTERSIGN_ALGORITHMS is RS256,ES256"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := load(t, "testdata/full.good.yaml")
			test.change(cfg)
			_, err := manifests.Options{}.Render(cfg, image)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want one with %q", err, test.want)
			}
			if !place.MatchString(err.Error()) {
				t.Errorf("the error does not name the place: %v", err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error has the value: %v", err)
			}
		})
	}
}

func TestEveryMistakeIsSaidAtOnce(t *testing.T) {
	cfg := load(t, "testdata/full.good.yaml")
	cfg.Service.Port, cfg.Pool.ID, cfg.Ingress.VPCCIDR = 80, "", "0.0.0.0/0"
	_, err := manifests.Options{}.Render(cfg, "")
	for _, want := range []string{"service.port", "pool.id", "ingress.vpcCIDR", "no image is named"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

func TestImageReferences(t *testing.T) {
	const ecr = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/orders"
	for _, test := range []struct {
		name, image string
		allowTag    bool
		want        string // a part of the error; "" for none
	}{
		{"by digest", ecr + "@" + digest, false, ""},
		{"by tag and digest", ecr + ":v1.2.3@" + digest, false, ""},
		{"registry with a port", "localhost:5000/orders@" + digest, false, ""},
		{"none", "", false, "no image is named: pass --image " + ecr + "@sha256:"},
		{"by tag alone", ecr + ":v1", false, "aws ecr describe-images --region eu-west-1 --repository-name shop/orders --image-ids imageTag=v1 "},
		{"by tag alone, elsewhere", "registry.example.com:5000/orders:v1", false, "docker buildx imagetools inspect registry.example.com:5000/orders:v1"},
		{"by name alone", "registry.example.com/orders", false, "inspect registry.example.com/orders:latest"},
		{"by tag, allowed", ecr + ":v1", true, ""},
		{"short digest", ecr + "@sha256:abc", true, "is no image reference"},
		{"digest of another kind", ecr + "@md5:" + strings.Repeat("a", 32), true, "is no image reference"},
		{"upper case", "registry.example.com/Orders@" + digest, true, "is no image reference"},
		{"with a scheme", "https://registry.example.com/orders@" + digest, true, "is no image reference"},
		{"two lines", "registry.example.com/orders\nevil: true@" + digest, true, "is no image reference"},
		{"empty tag", ecr + ":", true, "is no image reference"},
	} {
		t.Run(test.name, func(t *testing.T) {
			objects, err := manifests.Options{AllowTag: test.allowTag}.Render(load(t, "testdata/full.good.yaml"), test.image)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want one with %q", err, test.want)
			}
			if err == nil && !strings.Contains(string(encode(t, objects)), "image: "+test.image+"\n") {
				t.Error("the Deployment has another image")
			}
		})
	}
}

func TestATagIsPulledEachTime(t *testing.T) {
	objects, err := manifests.Options{AllowTag: true}.Render(load(t, "testdata/full.good.yaml"), "registry.example.com/orders:v1")
	if err != nil {
		t.Fatal(err)
	}
	text := string(encode(t, objects))
	for _, want := range []string{"imagePullPolicy: Always\n", "app.kubernetes.io/version: v1\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the objects lack %q", want)
		}
	}
}

func TestIssuers(t *testing.T) {
	for _, test := range []struct{ name, issuer, want string }{
		{"Cognito", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other", ""},
		{"Cognito, of an updated pool", "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other", ""},
		{"of another region", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other", "pool.region: is eu-west-1, and the issuer"},
		{"of dev", "http://localhost:8081/eu-west-1_AbCdEf123", "is not https"},
		{"with a query", "https://issuer.example.com/?x=1", "is no issuer"},
		{"no URL", "eu-west-1_AbCdEf123", "is no issuer"},
		{"another's, with jwtValidation", "https://issuer.example.com", "ingress.jwtValidation: is true, and the issuer https://issuer.example.com is not Cognito"},
	} {
		t.Run(test.name, func(t *testing.T) {
			objects, err := manifests.Options{Issuer: test.issuer}.Render(load(t, "testdata/full.good.yaml"), image)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want one with %q", err, test.want)
			}
			if err == nil && !strings.Contains(string(encode(t, objects)), "name: COUNTERSIGN_ISSUER\n          value: "+test.issuer+"\n") {
				t.Error("the Deployment has another issuer")
			}
		})
	}
	cfg := load(t, "testdata/full.good.yaml")
	cfg.Ingress.JWTValidation = false
	if _, err := (manifests.Options{Issuer: "https://issuer.example.com"}).Render(cfg, image); err != nil {
		t.Errorf("another issuer without jwtValidation: %v", err)
	}
}

func TestPolicy(t *testing.T) {
	probes := []countersign.Route{
		{Pattern: "GET /health/live", Method: "GET", Path: "/health/live", Rule: countersign.Public("probe")},
		{Pattern: "GET /health/ready", Method: "GET", Path: "/health/ready", Rule: countersign.Public("probe")},
	}
	public := func(path string) countersign.Route {
		return countersign.Route{Pattern: "GET " + path, Method: "GET", Path: path, Rule: countersign.Public("documentation")}
	}
	for _, test := range []struct {
		name   string
		routes []countersign.Route
		want   string
	}{
		{"probes are there", probes, ""},
		{"a probe is missing", probes[:1], "service.ready: /health/ready is no public route of the policy"},
		{"a probe asks for a token", []countersign.Route{probes[0], {Pattern: "GET /health/ready", Method: "GET", Path: "/health/ready", Rule: countersign.Authenticated()}}, "service.ready: /health/ready is Authenticated()"},
		{"a probe takes POST alone", []countersign.Route{probes[0], {Pattern: "POST /health/ready", Method: "POST", Path: "/health/ready", Rule: countersign.Public("probe")}}, "service.ready: /health/ready is no public route"},
		{"a pattern covers the probes", []countersign.Route{public("/health/{check}")}, ""},
		{"a subtree covers the probes", []countersign.Route{public("/health/")}, ""},
		{"a rest covers the probes", []countersign.Route{public("/health/{rest...}")}, ""},
		{"public behind the load balancer", append(probes[:2:2], public("/api/orders/docs")), "ingress.jwtValidation: is true, and GET /api/orders/docs is Public(\"documentation\")"},
		{"public by a pattern", append(probes[:2:2], public("/api/{collection}/docs")), "ingress.jwtValidation"},
		{"public subtree above", append(probes[:2:2], public("/api/")), "ingress.jwtValidation"},
		{"public rest above", append(probes[:2:2], public("/{rest...}")), "ingress.jwtValidation"},
		{"public and not let through", append(probes[:2:2], public("/docs"), public("/api"), public("/api/ordersx")), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := manifests.Options{Policy: &countersign.Policy{Routes: test.routes}}.Render(load(t, "testdata/full.good.yaml"), image)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}
