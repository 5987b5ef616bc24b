// Package audit writes the issuer's audit trail as JSON lines: one [cognito.Event] a line, in the order in which they came.
//
// It is not the log: a line is there for each change, or the program is told. Start with [New].
package audit

import (
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// Config says where the lines go. W is required.
type Config struct {
	W io.Writer // each line is one Write

	// Buffer is how many events wait for W. When it is full a change waits, since no change may go unrecorded, and a
	// refusal is dropped and counted, since whoever floods the issuer with bad requests must not stop it. 0 means 1024.
	Buffer int

	// Failed is told of the first error of W, and of the first after it had worked again. Nil means nobody is.
	Failed func(error)

	Now func() time.Time // nil means time.Now
}

// A Writer is an audit trail. All its methods may be called from several goroutines.
type Writer struct {
	config Config
	events chan cognito.Event
	done   chan struct{}

	mu      sync.RWMutex // held to send, so that Close knows that nobody does
	closed  bool
	count   sync.Mutex
	dropped uint64 // since it was last written down
	missing uint64 // since the start
	failing bool
}

// New returns a trail that writes until Close.
func New(config Config) (*Writer, error) {
	if config.W == nil {
		return nil, errors.New("audit: Config.W is nil")
	}
	if config.Buffer < 0 {
		return nil, errors.New("audit: Config.Buffer is negative")
	}
	if config.Buffer == 0 {
		config.Buffer = 1024
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	w := &Writer{config: config, events: make(chan cognito.Event, config.Buffer), done: make(chan struct{})}
	go w.run()
	return w, nil
}

// Record queues the event. It fits [cognito.Config].Audit. After Close it does nothing.
func (w *Writer) Record(e cognito.Event) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return
	}
	if e.Kind == cognito.EventChange {
		w.events <- e
		return
	}
	select {
	case w.events <- e:
	default:
		w.count.Lock()
		w.dropped++
		w.missing++
		w.count.Unlock()
	}
}

// Dropped returns how many refusals the trail could not take since its start.
func (w *Writer) Dropped() uint64 {
	w.count.Lock()
	defer w.count.Unlock()
	return w.missing
}

// Close writes what is queued and ends the trail. It does not close W.
func (w *Writer) Close() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.events)
	}
	w.mu.Unlock()
	<-w.done
	return nil
}

func (w *Writer) run() {
	defer close(w.done)
	for e := range w.events {
		w.write(e)
		w.writeDropped()
	}
	w.writeDropped()
}

// writeDropped says how many refusals are missing, at the place where they are.
func (w *Writer) writeDropped() {
	w.count.Lock()
	n := w.dropped
	w.dropped = 0
	w.count.Unlock()
	if n > 0 {
		w.write(struct {
			Time  time.Time `json:"time"`
			Kind  string    `json:"kind"`
			Count uint64    `json:"count"`
		}{w.config.Now().UTC(), "dropped", n})
	}
}

func (w *Writer) write(line any) {
	b, err := json.Marshal(line)
	if err == nil {
		_, err = w.config.W.Write(append(b, '\n'))
	}
	if err != nil && !w.failing && w.config.Failed != nil {
		w.config.Failed(err)
	}
	w.failing = err != nil
}
