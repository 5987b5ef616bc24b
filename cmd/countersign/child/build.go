package child

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// build compiles what go run would, so that the old service runs until the new one is there, and returns what to run. Another
// command is run as it is.
func build(ctx context.Context, cfg Config, run int, output *lines) ([]string, error) {
	arguments, rest, ok := splitGoRun(cfg.Command)
	if !ok {
		return cfg.Command, nil
	}
	// Two names in turn: Windows lets nobody replace a program that runs.
	bin, err := filepath.Abs(filepath.Join(cfg.Bin, "service-"+strconv.Itoa(run%2)))
	if err != nil {
		return nil, err
	}
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	cmd := exec.CommandContext(ctx, cfg.Command[0], append([]string{"build", "-o", bin}, arguments...)...)
	cmd.Dir, cmd.Env = cfg.Dir, cfg.Env
	ownGroup(cmd)
	cmd.Cancel = func() error { signalGroup(cmd, true); return nil }
	cmd.WaitDelay = 2 * time.Second
	runtime.LockOSThread() // as spawn does
	defer runtime.UnlockOSThread()
	text, err := cmd.CombinedOutput()
	output.write(text)
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		return nil, errors.New("it cannot be built: go build " + strings.Join(arguments, " ") + " failed")
	case err != nil:
		return nil, fmt.Errorf("it cannot be built: %w", err)
	}
	return append([]string{bin}, rest...), nil
}

// boolFlags are the flags of go build that take no value in the next argument.
var boolFlags = []string{"a", "n", "race", "msan", "asan", "cover", "v", "work", "x", "buildvcs", "json", "linkshared", "modcacherw", "trimpath"}

// splitGoRun divides "go run [flags] package [arguments]" into what go build takes, and the program's own arguments.
func splitGoRun(command []string) (arguments, rest []string, ok bool) {
	if len(command) < 3 || strings.TrimSuffix(filepath.Base(command[0]), ".exe") != "go" || command[1] != "run" {
		return nil, nil, false
	}
	args := command[2:]
	i := 0
	for i < len(args) && strings.HasPrefix(args[i], "-") {
		name, _, hasValue := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if name == "exec" || name == "n" || name == "C" {
			return nil, nil, false // go run does something else with these than build and run
		}
		if i++; !hasValue && !slices.Contains(boolFlags, name) {
			i++
		}
	}
	if i >= len(args) || strings.Contains(args[i], "@") {
		return nil, nil, false // a package of another module, at a version
	}
	i++
	for i < len(args) && strings.HasSuffix(args[i-1], ".go") && strings.HasSuffix(args[i], ".go") {
		i++
	}
	return args[:i], args[i:], true
}
