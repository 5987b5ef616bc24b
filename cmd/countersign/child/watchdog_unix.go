//go:build unix

package child

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// watchdogScript keeps the last line that it was sent, and ends the process group of that id when no more can come.
const watchdogScript = `trap "" HUP INT TERM; g=; while read -r next; do g=$next; done; [ -z "$g" ] || kill -s KILL -- "-$g"`

// A watchdog is a shell that ends the service's process group when this program is gone, however it went: a program that is killed
// ends nothing itself, and Linux ends its children for it but not theirs, as the server that npm or a shell has started.
type watchdog struct {
	cmd  *exec.Cmd
	pipe *os.File // the kernel closes it with this program; nobody else has this end
}

// newWatchdog starts one. Where there is no shell there is none, and nothing else is lost.
func newWatchdog() *watchdog {
	read, write, err := os.Pipe()
	if err != nil {
		return nil
	}
	defer read.Close()
	cmd := exec.Command("/bin/sh", "-c", watchdogScript)
	cmd.Stdin, cmd.Env, cmd.Dir = read, []string{}, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is not for it
	if cmd.Start() != nil {
		write.Close()
		return nil
	}
	return &watchdog{cmd, write}
}

// guard says which group is to end; 0 is none.
func (w *watchdog) guard(group int) {
	if w == nil {
		return
	}
	line := "\n"
	if group > 0 {
		line = strconv.Itoa(group) + "\n"
	}
	w.pipe.WriteString(line) // a watchdog that somebody has ended guards nothing, and the service runs all the same
}

// close ends the watchdog, which has nothing left to end.
func (w *watchdog) close() {
	if w == nil {
		return
	}
	w.guard(0)
	w.pipe.Close()
	w.cmd.Wait()
}
