package issuer

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// state is what a process says of itself in its metrics, and the system of its memory.
type state struct {
	connections, files, goroutines int
	memory, most                   int64 // resident, in bytes: now, and the most that it ever was
	series                         int
	metrics                        map[string]float64 // by name and labels
}

// stateOnce is the state as soon as it is right, and after two minutes whatever it is then.
func (p *process) stateOnce(right func(state) bool) state {
	p.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(2 * time.Minute); ; <-tick.C {
		if s := p.state(); right(s) || time.Now().After(end) {
			return s
		}
	}
}

func (p *process) state() (s state) {
	p.t.Helper()
	answer, err := http.Get("http://" + p.Admin + "/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	s.metrics = map[string]float64{}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if name, value, found := strings.Cut(lines.Text(), " "); found && !strings.HasPrefix(name, "#") {
			s.metrics[name], _ = strconv.ParseFloat(value, 64)
			s.series++
		}
	}
	s.connections = int(s.metrics["countersign_issuer_connections"])
	s.files, s.goroutines = int(s.metrics["process_open_fds"]), int(s.metrics["go_goroutines"])
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			s.memory = kib << 10
		case "VmHWM":
			s.most = kib << 10
		}
	}
	return s
}
