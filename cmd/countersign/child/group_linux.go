package child

import (
	"os/exec"
	"syscall"
)

// ownGroup lets the process be ended with all that it starts, and ends it if this program is killed.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
