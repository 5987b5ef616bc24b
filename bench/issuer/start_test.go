package issuer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What is promised of a start.
const (
	manyProcessor  = 2 * time.Second // 1,000 pools of 100 clients
	manyMemory     = 300 << 10       // KiB, at its highest
	smallProcessor = 100 * time.Millisecond
	smallOwnMemory = 20 << 10 // without the pages of the program's file, which the system shares and may drop
)

// TestStart prints what a start costs and holds it to what is promised.
func TestStart(t *testing.T) {
	program := build(t)
	many := newState(t, 1000, 100)
	floor := measureFloor(t, many)
	t.Logf("floor: SQLite's rows read and their seals opened, on one core: %v", floor.Round(time.Millisecond))
	for _, tt := range []struct {
		name      string
		state     *state
		processor time.Duration
		memory    func(cost) (is, promised int)
	}{
		{"1,000 pools of 100 clients", many, manyProcessor, func(c cost) (int, int) { return c.highest, manyMemory }},
		{"1 pool of 5 clients", newState(t, 1, 5), smallProcessor, func(c cost) (int, int) { return c.own, smallOwnMemory }},
	} {
		var s cost
		for range 5 { // whatever else the machine does can only make a start dearer
			s = start(t, program, tt.state)
			t.Logf("%s: listens after %v, first token after %v, processor time %v, resident %d KiB, at most %d KiB, %d KiB of it its own",
				tt.name, s.listening.Round(time.Millisecond), s.token.Round(time.Millisecond), s.processor, s.resident, s.highest, s.own)
			if is, promised := tt.memory(s); s.processor <= tt.processor && is <= promised {
				break
			}
		}
		if s.processor > tt.processor {
			t.Errorf("%s: %v of processor time until the first token, promised %v", tt.name, s.processor, tt.processor)
		}
		if is, promised := tt.memory(s); is > promised {
			t.Errorf("%s: %d KiB of memory, promised %d", tt.name, is, promised)
		}
		if tt.state == many {
			t.Logf("%s: processor time is %.1f times the floor", tt.name, float64(s.processor)/float64(floor))
		}
	}
}

func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "countersign")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/countersign")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "GOWORK=") // this module stands outside the workspace, the program in it
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// A cost is what one start took.
type cost struct {
	listening, token       time.Duration // since the process was begun
	processor              time.Duration // user and system, until the token
	resident, highest, own int           // KiB; own is what no file backs
}

func start(t *testing.T, program string, s *state) (c cost) {
	t.Helper()
	cmd := exec.Command(program, "issuer", "--config", s.config)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	address := listening(t, stderr)
	c.listening = time.Since(began)
	request, err := http.NewRequest(http.MethodPost, "http://"+address+"/"+s.pool+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(s.client, s.secret)
	res, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the first token: %s, %v", res.Status, err)
	}
	c.token = time.Since(began)
	c.processor = processorTime(t, cmd.Process.Pid)
	c.resident, c.highest, c.own = memory(t, cmd.Process.Pid)
	return c
}

// listening waits for the log line that has the address.
func listening(t *testing.T, stderr io.Reader) string {
	t.Helper()
	var said strings.Builder
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return line.Address
		}
		said.WriteString(lines.Text() + "\n")
	}
	t.Fatalf("it does not start:\n%s", said.String())
	return ""
}

// processorTime is proc(5): fields 14 and 15 of stat, in hundredths of a second.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// memory is proc(5): VmRSS, VmHWM and RssAnon of status, in KiB.
func memory(t *testing.T, pid int) (resident, highest, own int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		_, _ = fmt.Sscanf(line, "VmRSS: %d kB", &resident)
		_, _ = fmt.Sscanf(line, "VmHWM: %d kB", &highest)
		_, _ = fmt.Sscanf(line, "RssAnon: %d kB", &own)
	}
	return resident, highest, own
}
