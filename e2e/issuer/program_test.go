package issuer

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/e2e/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// run types a command, which has to succeed.
func run(t *testing.T, args ...string) string {
	t.Helper()
	bin := program.Path(t)
	command := exec.CommandContext(t.Context(), bin, args...)
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, problems.String())
	}
	return string(out)
}

// process is a running issuer.
type process struct {
	t       *testing.T
	name    string
	command *exec.Cmd
	log     *os.File
	ended   chan error
	URL     string // where it answers
	Admin   string // host and port of its metrics
	Started time.Duration
}

// start runs an issuer and returns when it says that it answers.
func start(t *testing.T, config, name string) *process {
	t.Helper()
	bin := program.Path(t)
	log, err := os.Create(filepath.Join(filepath.Dir(config), name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	ready := filepath.Join(filepath.Dir(config), name+".ready")
	p := &process{t: t, name: name, log: log, ended: make(chan error, 1)}
	p.command = exec.Command(bin, "issuer", "--config", config, "--ready-file", ready)
	p.command.Stderr = log
	begun := time.Now()
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.command.Wait() }()
	t.Cleanup(func() { p.command.Process.Kill() })
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		select {
		case err := <-p.ended:
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("%s ended: %v\n%s", name, err, text)
		default:
		}
		text, err := os.ReadFile(ready)
		if err != nil {
			continue
		}
		var where struct{ Address, Admin string }
		if err := json.Unmarshal(text, &where); err != nil {
			t.Fatal(err)
		}
		p.URL, p.Admin, p.Started = "http://"+where.Address, where.Admin, time.Since(begun)
		return p
	}
	return nil
}

// stop sends SIGTERM and waits for the end.
func (p *process) stop() {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := <-p.ended; err != nil {
		text, _ := os.ReadFile(p.log.Name())
		p.t.Errorf("%s: %v\n%s", p.name, err, text)
	}
}
