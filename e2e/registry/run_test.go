package registry

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/e2e/program"
)

// TestRun pulls the image of the example by its digest and runs it as a cluster would: not as root, nothing writable, no capabilities. It is
// proved from outside, with tokens of a local issuer, and stops in order when it is asked to.
func TestRun(t *testing.T) {
	p := newPodman(t)
	host := startRegistry(t, "")
	reference := mustRun(t, repository, nil, "image", "--repository", host+"/shop/demo", "--push", "--tag", "v1", "./examples/demo/cmd/demo")
	p.run("pull", "--quiet", "--tls-verify=false", reference)
	state, env := startDev(t)
	address := fmt.Sprintf("127.0.0.1:%d", program.FreePort(t))
	args := []string{"run", "--name", "demo", "--detach", "--network", "host", "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", "--env", "ADDR=" + address}
	for _, variable := range env {
		if strings.HasPrefix(variable, "COUNTERSIGN_") {
			args = append(args, "--env", variable)
		}
	}
	began := time.Now()
	p.run(append(args, reference)...)
	await(t, "the service answers", func() bool { return healthy("http://" + address + "/healthz") })
	ready := time.Since(began)
	if user := p.run("inspect", "--format", "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.Config.StopSignal}}", "demo"); user != "65532:65532 true 15" {
		t.Errorf("it runs as %s", user)
	}
	proof := mustRun(t, repository, nil, "prove", "http://"+address, "--state", state)
	if !strings.Contains(proof, "proved") {
		t.Errorf("prove:\n%s", proof)
	}
	p.run("stop", "--time", "20", "demo")
	if code := p.run("inspect", "--format", "{{.State.ExitCode}}", "demo"); code != "0" {
		t.Errorf("it stopped with exit code %s\n%s", code, p.run("logs", "demo"))
	}
	size := p.run("image", "inspect", "--format", "{{.Size}}", reference)
	t.Logf("unpacked %s bytes; from podman run to the first answer %d ms, of which podman and runc are the most", size, ready.Milliseconds())
	t.Log(`published figures of Quarkus 3.35, another service on another machine: "container cold start" 642 ms native and 3,541 ms on the JVM ` +
		"(blog.omatheusmesmo.dev, 2026)")
}

// TestTarball loads the tar file as a user without any registry does, and looks at what runs.
func TestTarball(t *testing.T) {
	p := newPodman(t)
	file := filepath.Join(t.TempDir(), "demo.tar")
	mustRun(t, repository, nil, "image", "--tarball", file, "--tag", "v1", "./examples/demo/cmd/demo")
	p.run("load", "--quiet", "--input", file)
	// Without an issuer the example says what it lacks: the program runs, and finds its place for temporary files.
	out, err := p.command("run", "--rm", "--network", "none", "--read-only", "--cap-drop", "all", "localhost/demo:v1").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "COUNTERSIGN_ISSUER") {
		t.Errorf("%v\n%s", err, out)
	}
}

// podman is the user's tool, with storage of its own.
type podman struct {
	t    *testing.T
	env  []string
	args []string
}

func newPodman(t *testing.T) *podman {
	t.Helper()
	need(t, "runc", "podman")
	dir, err := os.MkdirTemp("", "cs-podman-") // its sockets need a short path
	if err != nil {
		t.Fatal(err)
	}
	// Where the limits of this machine cannot be raised, podman's own would fail; and runc takes cgroups that crun does not.
	config := writeFile(t, dir, "containers.conf", "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n[engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n")
	p := &podman{t: t, env: append(os.Environ(), "CONTAINERS_CONF="+config),
		args: []string{"--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run"), "--tmpdir", filepath.Join(dir, "tmp"), "--storage-driver", "vfs"}}
	t.Cleanup(func() {
		p.command("rm", "--all", "--force", "--time", "1").Run()
		p.command("rmi", "--all", "--force").Run()
		os.RemoveAll(dir)
	})
	return p
}

func (p *podman) command(args ...string) *exec.Cmd {
	cmd := exec.Command("podman", append(append([]string{}, p.args...), args...)...)
	cmd.Env = p.env
	return cmd
}

// run is podman where it has to succeed.
func (p *podman) run(args ...string) string {
	p.t.Helper()
	cmd := p.command(args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("podman %s: %v\n%s%s", strings.Join(args, " "), err, out, &stderr)
	}
	return strings.TrimSpace(string(out))
}

// startDev runs the local system, and returns its state directory and the variables of a service that takes its tokens.
func startDev(t *testing.T) (state string, env []string) {
	t.Helper()
	bin := program.Path(t)
	state = filepath.Join(t.TempDir(), "state")
	dev := exec.Command(bin, "dev", "--state", state, "--api-addr", "localhost:0", "--edge-addr", "localhost:0", "--issuer-addr", "localhost:0")
	dev.Dir = repository
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		dev.Process.Signal(syscall.SIGTERM)
		dev.Wait()
	})
	export := regexp.MustCompile(`(?m)^export (\w+)='?([^'\n]*)'?$`)
	for _, found := range export.FindAllStringSubmatch(mustRun(t, repository, nil, "env", "--wait", "60s", "--state", state), -1) {
		env = append(env, fmt.Sprintf("%s=%s", found[1], found[2]))
	}
	return state, env
}

func healthy(url string) bool {
	res, err := http.Get(url)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}
