//go:build unix && !linux

package child

import (
	"os/exec"
	"syscall"
)

// ownGroup lets the process be ended with all that it starts.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
