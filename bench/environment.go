package bench

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Environment is where and when a report was made.
type Environment struct {
	When   time.Time
	CPU    string
	Go     string
	Rounds int
	Load   [2]string // of the machine, before and after; "" where it is not known
	Drift  float64   // the slowest round of the floor by the fastest
}

// NewEnvironment describes this machine. Load and Drift are filled in by the one who measures.
func NewEnvironment(rounds int) Environment {
	return Environment{When: time.Now(), CPU: processor(), Go: runtime.Version(), Rounds: rounds, Load: [2]string{LoadAverage()}}
}

// String is a paragraph, with a list of the peers and their versions.
func (e Environment) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s with %s on %s, %s, in %d rounds. ", e.When.UTC().Format("2006-01-02"), e.Go, e.CPU, runtime.GOOS+"/"+runtime.GOARCH, e.Rounds)
	if e.Load[0] != "" {
		fmt.Fprintf(&b, "The machine's load was %s before and %s after; ", e.Load[0], e.Load[1])
	}
	fmt.Fprintf(&b, "the slowest round of the floor took %.2f times as long as the fastest, which says how far the medians can be trusted.\n\n", e.Drift)
	for _, p := range Peers() {
		var modules []string
		for _, m := range p.Modules {
			modules = append(modules, m+" "+version(m))
		}
		fmt.Fprintf(&b, "- %s: %s", p.Name, strings.Join(modules, ", "))
		if p.Audience {
			b.WriteString("; it demands an aud, which Cognito's tokens for machines do not have, and is given tokens with one")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// version is the version of a module in this program.
func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == module })
	if i < 0 {
		return ""
	}
	return info.Deps[i].Version
}

var modelName = regexp.MustCompile(`(?m)^model name\s*:\s*(.*)$`)

func processor() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	name := modelName.FindSubmatch(data)
	if err != nil || name == nil {
		return fmt.Sprintf("%d processors", runtime.NumCPU())
	}
	return fmt.Sprintf("%d × %s", runtime.NumCPU(), name[1])
}

// LoadAverage is the load of the last minute, where the system tells.
func LoadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	one, _, _ := strings.Cut(string(data), " ")
	return one
}
