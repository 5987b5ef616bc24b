package child

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"time"
)

// process is one run of the service, with all that it started itself.
type process struct {
	cmd    *exec.Cmd
	began  time.Time
	exited chan struct{} // closed when it has ended and its output is read
	result string        // of Wait; to be read after exited
}

// spawn starts the program in a process group of its own.
func spawn(program []string, cfg Config, output *lines) (*process, error) {
	cmd := exec.Command(program[0], program[1:]...)
	cmd.Dir, cmd.Env = cfg.Dir, append(slices.Clip(cfg.Env), cfg.RunEnv...)
	ownGroup(cmd)
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("it cannot be started: %w", err)
	}
	cmd.Stdout, cmd.Stderr = write, write
	p := &process{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux ends a child whose parent is gone by the thread that started it; a thread that Go takes down for itself would too.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		p.began = time.Now()
		err := cmd.Start()
		write.Close()
		started <- err
		if err != nil {
			return
		}
		read := output.follow(read)
		p.result = result(cmd.Wait())
		signalGroup(cmd, true) // what it left behind holds its address
		<-read
		close(p.exited)
	}()
	if err := <-started; err != nil {
		read.Close()
		return nil, fmt.Errorf("it cannot be started: %w", err)
	}
	return p, nil
}

func result(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// patience is how long a service may take to be built, or to end, until that is said.
const patience = 2 * time.Second

// end asks the group to end, and makes it after the grace. A service that takes its time is told of once.
func (p *process) end(grace time.Duration, slow func(left time.Duration)) {
	signalGroup(p.cmd, false)
	timer := time.NewTimer(min(grace, patience))
	defer timer.Stop()
	select {
	case <-p.exited:
		return
	case <-timer.C:
	}
	if left := grace - patience; left > 0 {
		slow(left)
		timer.Reset(left)
		select {
		case <-p.exited:
			return
		case <-timer.C:
		}
	}
	signalGroup(p.cmd, true)
	<-p.exited
}
