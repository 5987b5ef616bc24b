package cost

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// FlushEvery is how often a meter writes its counts: so much of them is lost at most when the process is killed.
const FlushEvery = time.Minute

// maxClients bounds how many clients have a count of their own. Those beyond it are counted together.
const maxClients = 10000

// otherClients is what the clients beyond the bound are called.
const otherClients = "other"

// MeterConfig says where a [Meter] writes. Dir is required.
type MeterConfig struct {
	Dir      string // it is made where there is none; several processes may share it
	Instance string // which of these this is; empty means the host's name and something random

	// Describe returns the name of an app client and the life of its tokens. Nil means that neither is known.
	Describe func(pool, client string) (name string, life time.Duration)

	Now func() time.Time // nil means time.Now
}

// A Meter counts tokens. It is safe for concurrent use. Make one with [NewMeter].
type Meter struct {
	config MeterConfig

	mu      sync.Mutex
	month   string
	clients map[[2]string]*Client
	dirty   bool
	ended   []usageFile // months that are over, to be written for the last time
	part    string      // of the names of files, once the clock has gone back into a month that has one

	writing sync.Mutex // one flush at a time
}

// NewMeter goes on with what the same instance has counted in this month before.
func NewMeter(config MeterConfig) (*Meter, error) {
	if config.Dir == "" {
		return nil, errors.New("cost: MeterConfig.Dir is empty")
	}
	if config.Instance == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("cost: the host's name: %w", err)
		}
		// Of its own, since the process before this one may still be ending on the same host.
		config.Instance = host + "-" + rand.Text()[:8]
	}
	if strings.ContainsAny(config.Instance, `/\`) {
		return nil, errors.New("cost: MeterConfig.Instance has a slash; it becomes part of a file's name")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("cost: usage: %w", err)
	}
	m := &Meter{config: config}
	m.begin(Month(config.Now()))
	file, err := readUsage(m.path(m.month), m.month)
	if errors.Is(err, os.ErrNotExist) {
		return m, nil
	}
	add(m.clients, file.Clients)
	return m, err
}

func (m *Meter) begin(month string) {
	m.month, m.clients, m.dirty = month, map[[2]string]*Client{}, false
}

func (m *Meter) path(month string) string {
	return filepath.Join(m.config.Dir, month+"-"+m.config.Instance+m.part+".json")
}

// Count counts a token of an app client.
func (m *Meter) Count(pool, client string) {
	now := m.config.Now().UTC()
	m.mu.Lock()
	defer m.mu.Unlock()
	if month := Month(now); month != m.month {
		m.turn(month)
	}
	key := [2]string{pool, client}
	c := m.clients[key]
	if c == nil {
		if len(m.clients) >= maxClients {
			key = [2]string{"", otherClients}
			c = m.clients[key]
		}
		if c == nil {
			c = &Client{Pool: key[0], ID: key[1], Days: map[string]Day{}}
			m.clients[key] = c
		}
	}
	date := now.Format(time.DateOnly)
	day := c.Days[date]
	day[now.Hour()]++
	c.Days[date] = day
	m.dirty = true
}

// turn ends the month. The next flush writes it; the caller holds the lock.
func (m *Meter) turn(month string) {
	if m.dirty {
		m.ended = append(m.ended, m.snapshot())
	}
	if month < m.month || m.part != "" { // the clock was set: what the month has already stays, in a file of its own
		m.part = "-" + rand.Text()[:8]
	}
	m.begin(month)
}

// snapshot copies the counts. The caller holds the lock.
func (m *Meter) snapshot() usageFile {
	copied := map[[2]string]*Client{}
	for key, c := range m.clients {
		copied[key] = &Client{Pool: c.Pool, ID: c.ID, Name: c.Name, Life: c.Life, Days: map[string]Day{}}
		for date, day := range c.Days {
			copied[key].Days[date] = day
		}
	}
	return usageFile{Version: 1, Month: m.month, Clients: sorted(copied), path: m.path(m.month)}
}

// Flush writes what was counted since the last time, if anything was.
func (m *Meter) Flush() error {
	m.writing.Lock()
	defer m.writing.Unlock()
	m.describe()
	if err := m.flushEnded(); err != nil {
		return err
	}
	m.mu.Lock()
	if !m.dirty {
		m.mu.Unlock()
		return nil
	}
	file := m.snapshot()
	m.dirty = false
	m.mu.Unlock()
	if err := file.write(); err != nil {
		m.mu.Lock()
		if file.path == m.path(m.month) {
			m.dirty = true // and again with the next
		} else if !slices.ContainsFunc(m.ended, func(e usageFile) bool { return e.path == file.path }) {
			m.ended = append(m.ended, file)
		}
		m.mu.Unlock()
		return fmt.Errorf("cost: usage: %w", err)
	}
	return nil
}

// flushEnded writes the months that are over. The caller has the turn to write.
func (m *Meter) flushEnded() error {
	for {
		m.mu.Lock()
		if len(m.ended) == 0 {
			m.mu.Unlock()
			return nil
		}
		file := m.ended[0]
		m.mu.Unlock()
		if err := file.write(); err != nil {
			return fmt.Errorf("cost: usage: %w", err)
		}
		m.mu.Lock()
		m.ended = m.ended[1:]
		m.mu.Unlock()
	}
}

// describe asks for names and lives without the lock. Of a client that is gone the last that was known stays.
func (m *Meter) describe() {
	if m.config.Describe == nil {
		return
	}
	m.mu.Lock()
	clients := slices.Collect(maps.Keys(m.clients))
	m.mu.Unlock()
	for _, key := range clients {
		name, life := m.config.Describe(key[0], key[1])
		m.mu.Lock()
		if c := m.clients[key]; c != nil && life > 0 {
			c.Name, c.Life = name, int(life.Seconds())
		}
		m.mu.Unlock()
	}
}

// Run flushes every minute until ctx ends, and once more then. Failed is told of each error.
func (m *Meter) Run(ctx context.Context, failed func(error)) {
	ticker := time.NewTicker(FlushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
		if err := m.Flush(); err != nil {
			failed(err)
		}
		if ctx.Err() != nil {
			return
		}
	}
}
