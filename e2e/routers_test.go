package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRoutersAreProved types the command of docs/routers.md with each router: one document is true of all of them.
func TestRoutersAreProved(t *testing.T) {
	bin := newSystem(t).bin
	for _, router := range []string{"nethttp", "chi", "gin", "echo"} {
		cmd := exec.CommandContext(t.Context(), bin, "dev", "--once", "--state", filepath.Join(t.TempDir(), "state"),
			"--api-addr", "localhost:0", "--edge-addr", "localhost:0", "--issuer-addr", "localhost:0", "--", "go", "run", ".", "-router", router)
		cmd.Dir = filepath.Join("..", "examples", "routers")
		cmd.Env = append(os.Environ(), "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Count(string(out), ": proved (3 routes") != 2 {
			t.Errorf("%s: %v\n%s", router, err, out)
		}
	}
}
