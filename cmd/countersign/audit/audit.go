// Package audit writes the issuer's audit trail as JSON lines: one [cognito.Event] a line, in the order in which they came.
//
// It is not the log: a line is there for each change before its caller hears of it, or the program is told. Start with [New].
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

	// Sync makes what was written durable. It is called after each change. Nil means that there is nothing to do.
	Sync func() error

	// Buffer is how many events wait for W. When it is full a refusal is dropped and counted, since whoever floods the
	// issuer with bad requests must not stop it. 0 means 1024.
	Buffer int

	// Refusals is how many refusals of one second are written down; those beyond it are counted only, since strangers can
	// make as many as they please, and would fill the disk. 0 means 50.
	Refusals int

	// Failed is told of the first error of W, and of the first after it had worked again. Nil means nobody is.
	Failed func(error)

	// Missing is told of each change whose line could not be written, as the line would have been. Nil means nobody is.
	Missing func(line []byte)

	Now func() time.Time // nil means time.Now
}

// A Writer is an audit trail. All its methods may be called from several goroutines.
type Writer struct {
	config Config
	events chan entry
	done   chan struct{}

	mu     sync.RWMutex // held to send, so that Close knows that nobody does
	closed bool

	count   sync.Mutex
	dropped uint64 // since it was last written down
	missing uint64 // since the start
	second  int64  // that refusals are counted in
	written int    // of them

	// Of the goroutine that writes.
	failing bool
	torn    bool // half a line may be at the end
}

// An entry is an event, and whom to tell that it is written.
type entry struct {
	event   cognito.Event
	written chan<- struct{} // nil for a refusal
}

// New returns a trail that writes until Close.
func New(config Config) (*Writer, error) {
	if config.W == nil {
		return nil, errors.New("audit: Config.W is nil")
	}
	if config.Buffer < 0 || config.Refusals < 0 {
		return nil, errors.New("audit: Config.Buffer or Config.Refusals is negative")
	}
	if config.Buffer == 0 {
		config.Buffer = 1024
	}
	if config.Refusals == 0 {
		config.Refusals = 50
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	w := &Writer{config: config, events: make(chan entry, config.Buffer), done: make(chan struct{})}
	go w.run()
	return w, nil
}

// Record writes a change, and returns when it is written; a refusal it queues. It fits [cognito.Config].Audit. After Close it
// does nothing.
func (w *Writer) Record(e cognito.Event) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return
	}
	if e.Kind == cognito.EventChange {
		written := make(chan struct{})
		w.events <- entry{e, written}
		<-written
		return
	}
	if !w.admits() {
		return
	}
	select {
	case w.events <- entry{event: e}:
	default:
		w.drop()
	}
}

// admits says whether one more refusal of this second is written down.
func (w *Writer) admits() bool {
	w.count.Lock()
	defer w.count.Unlock()
	if now := w.config.Now().Unix(); now != w.second {
		w.second, w.written = now, 0
	}
	if w.written++; w.written > w.config.Refusals {
		w.dropped++
		w.missing++
		return false
	}
	return true
}

func (w *Writer) drop() {
	w.count.Lock()
	defer w.count.Unlock()
	w.dropped++
	w.missing++
}

// Dropped returns how many events are missing in the trail since its start.
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
		w.record(e)
		w.writeDropped()
	}
	w.writeDropped()
}

func (w *Writer) record(e entry) {
	line, err := w.write(e.event)
	if e.written == nil {
		if err != nil {
			w.drop()
		}
		return
	}
	if err == nil && w.config.Sync != nil {
		err = w.config.Sync()
		w.note(err)
	}
	if err != nil {
		w.drop()
		if w.config.Missing != nil {
			w.config.Missing(line)
		}
	}
	close(e.written)
}

// writeDropped says how many events are missing, at the place where they are.
func (w *Writer) writeDropped() {
	w.count.Lock()
	n := w.dropped
	w.count.Unlock()
	if n == 0 || w.failing {
		return
	}
	_, err := w.write(struct {
		Time  time.Time `json:"time"`
		Kind  string    `json:"kind"`
		Count uint64    `json:"count"`
	}{w.config.Now().UTC(), "dropped", n})
	if err == nil {
		w.count.Lock()
		w.dropped -= n
		w.count.Unlock()
	}
}

// write writes one line. After half of one, as on a disk that is full, the next begins anew.
func (w *Writer) write(v any) (line []byte, err error) {
	line, err = json.Marshal(v)
	if err == nil {
		whole := append(line, '\n')
		if w.torn {
			whole = append([]byte{'\n'}, whole...)
		}
		var n int
		n, err = w.config.W.Write(whole)
		w.torn = err != nil && (w.torn || n > 0)
	}
	w.note(err)
	return line, err
}

// note tells of the first error.
func (w *Writer) note(err error) {
	if err != nil && !w.failing && w.config.Failed != nil {
		w.config.Failed(err)
	}
	w.failing = err != nil
}
