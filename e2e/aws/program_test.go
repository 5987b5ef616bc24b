package aws

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/fault"
)

// binary is the program, built once for all the tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "countersign-aws-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "countersign")
	build := exec.Command("go", "build", "-o", file, "./cmd/countersign")
	build.Dir = "../.."
	build.Env = append(os.Environ(), "GOWORK=") // this module stands outside the workspace, the program in it
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// tool finds a program of the virtual environment that .ci/run makes, or on the PATH.
func tool(t *testing.T, name string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(cache, "countersign-ci", "venv", "bin", name)
	if _, err := os.Stat(file); err == nil {
		return file
	}
	found, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not there: %v; .ci/run installs it", name, err)
	}
	return found
}

// serve starts a server that says where it listens, and returns that URL.
func serve(t *testing.T, says *regexp.Regexp, env []string, name string, args ...string) *url.URL {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
	cmd.Env = append(os.Environ(), env...)
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() })
		defer kill.Stop()
		cmd.Wait()
	})
	go func() { // the end of the server ends the reading
		cmd.Process.Wait()
		write.Close()
	}()
	lines := bufio.NewScanner(read)
	var said strings.Builder
	for lines.Scan() {
		if found := says.FindStringSubmatch(lines.Text()); found != nil {
			go io.Copy(io.Discard, read)
			address, err := url.Parse(found[1])
			if err != nil {
				t.Fatal(err)
			}
			return address
		}
		fmt.Fprintln(&said, lines.Text())
	}
	t.Fatalf("%s ended:\n%s", name, &said)
	return nil
}

func startMoto(t *testing.T) *url.URL {
	t.Helper()
	return serve(t, regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`), nil, tool(t, "moto_server"), "-H", "127.0.0.1", "-p", "0")
}

// place is a directory with a countersign.yaml, in which the program is run through a proxy.
type place struct {
	t     *testing.T
	bin   string
	dir   string
	proxy *fault.Proxy
	env   []string
}

// newPlace puts the proxy before the service as a user would put an endpoint: by AWS's own variables.
func newPlace(t *testing.T, file string, proxy *fault.Proxy, env ...string) *place {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "countersign.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	return &place{t, bin, dir, proxy, append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "AWS_ENDPOINT_URL=" + front.URL, "AWS_ACCESS_KEY_ID=testing", "AWS_SECRET_ACCESS_KEY=testing",
		"AWS_REGION=ap-southeast-1", "AWS_MAX_ATTEMPTS=1",
	}, env...)}
}

// run types a command, and returns its exit code and all that it printed.
func (p *place) run(args ...string) (int, string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.bin, args...)
	cmd.Dir, cmd.Env = p.dir, p.env
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code >= 0 {
		return code, string(out)
	}
	p.t.Fatalf("%q: %v\n%s", args, err, out)
	return 0, ""
}

func (p *place) mustRun(args ...string) string {
	p.t.Helper()
	p.proxy.Arm("", 0)
	code, out := p.run(args...)
	if code != 0 {
		p.t.Fatalf("%q: exit code %d\n%s", args, code, out)
	}
	return out
}

// cut runs a command whose call number n fails, and returns whether the command failed with it.
func (p *place) cut(kind fault.Kind, n int, args ...string) bool {
	p.t.Helper()
	if kind == fault.HangAfter {
		args = append(args, "--timeout", "3s") // of each answer; the one that hangs has to be the first that takes so long
	}
	p.proxy.Arm(kind, n)
	code, out := p.run(args...)
	if !p.proxy.Hit() {
		p.t.Fatalf("the run did not come to call %d", n)
	}
	if code != 0 && code != 2 {
		p.t.Fatalf("exit code %d\n%s", code, out)
	}
	return code != 0
}
