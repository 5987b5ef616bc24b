package child

import "os/exec"

// ownGroup does nothing: Windows has no process groups that end together.
func ownGroup(*exec.Cmd) {}

// signalGroup ends the process. Windows knows no polite way that every program hears.
func signalGroup(cmd *exec.Cmd, _ bool) { _ = cmd.Process.Kill() }
