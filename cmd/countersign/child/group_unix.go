//go:build unix

package child

import (
	"os/exec"
	"syscall"
)

// signalGroup ends the process and all that it started: politely, or at once.
func signalGroup(cmd *exec.Cmd, now bool) {
	signal := syscall.SIGTERM
	if now {
		signal = syscall.SIGKILL
	}
	// The group's id is its leader's, also when the leader has ended. A group that is gone is what was wanted.
	_ = syscall.Kill(-cmd.Process.Pid, signal)
}
