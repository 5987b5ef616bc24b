package child

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// The pauses before a service that ended by itself is started again: each twice the one before it.
const (
	firstPause = 500 * time.Millisecond
	lastPause  = 30 * time.Second
	// steady is how long a service runs until its next end counts as its first.
	steady = time.Minute
)

// supervisor is what the loop of one Child remembers.
type supervisor struct {
	*Child
	program []string // what is run: the command, or what was built of it
	proc    *process
	dog     *watchdog
	up      chan bool // of the process that runs: true when it answers, false when it was patiently waited for
	pause   time.Duration
	again   <-chan time.Time
}

func (c *Child) run(ctx context.Context) {
	defer close(c.done)
	s := &supervisor{Child: c, pause: firstPause, dog: newWatchdog()}
	defer s.dog.close()
	defer func() { s.end() }()
	for {
		var exited <-chan struct{}
		if s.proc != nil {
			exited = s.proc.exited
		}
		select {
		case <-ctx.Done():
			return
		case <-c.restart:
			s.rebuild(ctx)
		case <-s.again:
			s.again = nil
			s.start(ctx)
		case <-exited:
			s.exit()
		case answered := <-s.up:
			s.answered(answered)
		}
	}
}

// rebuild builds the service and puts it in the place of the one that runs.
func (s *supervisor) rebuild(ctx context.Context) {
	if s.State().Run > 0 {
		s.notice("it has changed")
	}
	slow := time.AfterFunc(patience, func() { s.notice("it is being built") })
	program, err := build(ctx, s.cfg, s.State().Run, s.output)
	slow.Stop()
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		if s.proc != nil {
			s.notice(err.Error() + "; the old one stays up")
			return
		}
		s.again = nil // the next change is what can help
		s.down(err.Error(), "; it is built again when it changes")
		return
	}
	if s.proc != nil {
		s.notice("restarting")
		s.set(func(state *State) { state.Up, state.Why = false, "" })
	}
	s.end()
	s.program, s.pause = program, firstPause
	s.start(ctx)
}

func (s *supervisor) start(ctx context.Context) {
	s.again = nil
	if err := free(s.cfg.Addr); err != nil {
		s.later(err.Error())
		return
	}
	proc, err := spawn(s.program, s.cfg, s.output)
	if err != nil {
		s.later(err.Error())
		return
	}
	s.dog.guard(proc.cmd.Process.Pid)
	s.proc, s.up = proc, make(chan bool, 2)
	s.set(func(state *State) { state.Up, state.Why = false, ""; state.Run++ })
	go s.poll(ctx, proc, s.up)
}

// free finds out that the address is another program's before that program is taken for the service.
func free(addr string) error {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("its address %s is taken; stop what listens there, or name another with --api-addr", addr)
	}
	if err != nil {
		return fmt.Errorf("its address: %w; name another with --api-addr", err)
	}
	return l.Close()
}

func (s *supervisor) exit() {
	why := "it ended: " + s.proc.result
	if time.Since(s.proc.began) > steady {
		s.pause = firstPause
	}
	s.end()
	s.later(why)
}

// later says why the service is down, and has it started again after a pause.
func (s *supervisor) later(why string) {
	s.down(why, fmt.Sprintf("; it is started again in %s", s.pause))
	s.again = time.After(s.pause)
	s.pause = min(2*s.pause, lastPause)
}

// end takes the process and its group down, if there is one.
func (s *supervisor) end() {
	if s.proc != nil {
		s.proc.end(s.cfg.Grace, func(left time.Duration) {
			s.notice(fmt.Sprintf("it has not ended at SIGTERM; it is killed in %s", left))
		})
		s.dog.guard(0) // the id may be another group's from now on
	}
	s.proc, s.up = nil, nil
}

func (s *supervisor) answered(yes bool) {
	if yes {
		s.set(func(state *State) { state.Up, state.Why = true, "" })
		return
	}
	s.down(fmt.Sprintf("it does not answer at http://%s; it is to listen where the variable ADDR, or PORT, says", s.cfg.Addr), "")
}

// poll asks the service until it answers, is gone, or the program ends.
func (s *supervisor) poll(ctx context.Context, proc *process, up chan<- bool) {
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		Timeout:       2 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	said := false
	for {
		if res, err := client.Get("http://" + s.cfg.Addr + s.cfg.Ready); err == nil {
			res.Body.Close()
			if res.StatusCode != http.StatusServiceUnavailable {
				up <- true
				return
			}
		}
		if !said && time.Since(proc.began) > s.cfg.Patient {
			said = true
			up <- false
			tick.Reset(time.Second)
		}
		select {
		case <-tick.C:
		case <-proc.exited:
			return
		case <-ctx.Done():
			return
		}
	}
}
