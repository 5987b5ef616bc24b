package child

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Config says what to run. Command and Addr are required.
type Config struct {
	Name    string   // before each line of its output
	Command []string // as typed; go run is built first, so that a build that fails takes nothing down
	Dir     string   // working directory; "" is this one
	Env     []string // the whole environment, as [os/exec.Cmd.Env]
	RunEnv  []string // what it has beyond Env, and its build has not: a proxy would keep the build from its modules
	Addr    string   // host:port at which it is to answer
	Ready   string   // path that it is asked; it answers when that is anything but 503
	Bin     string   // directory for the binary

	Output io.Writer         // its lines, and the compiler's
	Notice func(text string) // a line for people, such as "demo-api: restarted"

	Grace   time.Duration // how long it may take to end; zero means 10 seconds
	Patient time.Duration // how long it may take to answer before that is said; zero means 20 seconds
}

// State is how the service is.
type State struct {
	Up  bool
	Why string // why it is not up, in a few words: "" while it is up, or on its way for the first time
	Run int    // counts the starts
}

// Child is a running service. End it with [Child.Close].
type Child struct {
	cfg     Config
	output  *lines
	stop    context.CancelFunc
	done    chan struct{}
	restart chan struct{}
	changed chan struct{}

	mu    sync.Mutex
	state State
}

// Start begins to build and run the service, and returns at once.
func Start(cfg Config) (*Child, error) {
	if len(cfg.Command) == 0 || cfg.Addr == "" {
		return nil, errors.New("child: a command and an address are required")
	}
	cfg.Grace, cfg.Patient = cmp.Or(cfg.Grace, 10*time.Second), cmp.Or(cfg.Patient, 20*time.Second)
	ctx, stop := context.WithCancel(context.Background())
	c := &Child{
		cfg: cfg, output: newLines(cfg.Output, cfg.Name), stop: stop,
		done: make(chan struct{}), restart: make(chan struct{}, 1), changed: make(chan struct{}, 1),
	}
	c.restart <- struct{}{}
	go c.run(ctx)
	return c, nil
}

// State returns how the service is now.
func (c *Child) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Changed delivers after the state changed. Changes that nobody waited for are one.
func (c *Child) Changed() <-chan struct{} { return c.changed }

// Restart builds the service anew and puts the new one in the place of the old. If it cannot be built, the old one stays.
func (c *Child) Restart() {
	select {
	case c.restart <- struct{}{}:
	default: // one is due already
	}
}

// Hold keeps the service's lines back while it is asked more than people ask. The function that it returns ends that, and shows the
// last of them if there is something to look into.
func (c *Child) Hold() (release func(show bool)) { return c.output.hold() }

// Await returns when the service answers, or with why it does not: the first reason that there is.
func (c *Child) Await(ctx context.Context) error {
	for {
		state := c.State()
		switch {
		case state.Up:
			return nil
		case state.Why != "":
			return fmt.Errorf("%s: %s", c.cfg.Name, state.Why)
		}
		select {
		case <-c.changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close ends the service and all that it started.
func (c *Child) Close() error {
	c.stop()
	<-c.done
	return nil
}

func (c *Child) set(change func(*State)) {
	c.mu.Lock()
	before := c.state
	change(&c.state)
	same := c.state == before
	c.mu.Unlock()
	if same {
		return
	}
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// down tells people the reason, and keeps it for those who ask later.
func (c *Child) down(why, next string) {
	c.set(func(s *State) { s.Up, s.Why = false, why })
	c.notice(why + next)
}

func (c *Child) notice(text string) {
	if c.cfg.Notice != nil {
		c.cfg.Notice(c.cfg.Name + ": " + text)
	}
}
