package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// lookEvery is how often the socket is looked for at its path.
const lookEvery = 2 * time.Second

// listener listens on a path and stays there. A socket that somebody has removed still listens, but no program finds it, and
// the kernel tells nobody; so its file is looked at now and then.
type listener struct {
	path   string
	mode   fs.FileMode
	logger *slog.Logger
	peers  *peers

	watch sync.WaitGroup
	done  chan struct{}

	mu      sync.Mutex
	current *net.UnixListener
	file    fs.FileInfo // of current's socket
	lost    error       // why there is no other one; Accept returns it
	missing bool        // it was said that the socket is gone
	closed  bool
}

// bind makes the socket's file.
func bind(path string, mode fs.FileMode) (*net.UnixListener, fs.FileInfo, error) {
	if err := checkDirectory(filepath.Dir(path)); err != nil {
		return nil, nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, nil, fmt.Errorf("agent: %w", err)
	}
	l.SetUnlinkOnClose(false) // the path may be another agent's by then
	// Until here the socket has the mode that the umask leaves; whoever connects is asked for by the kernel in any case.
	err = os.Chmod(path, mode)
	file, errStat := os.Lstat(path)
	if err = errors.Join(err, errStat); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("agent: %w", err), l.Close())
	}
	return l, file, nil
}

func newListener(path string, mode fs.FileMode, logger *slog.Logger) (*listener, error) {
	l := &listener{path: path, mode: mode, logger: logger, done: make(chan struct{}),
		peers: &peers{limit: maxConnections, logger: logger, open: map[int]int{}, told: map[int]bool{}}}
	var err error
	if l.current, l.file, err = bind(path, mode); err != nil {
		return nil, err
	}
	l.watch.Go(l.keepLooking)
	return l, nil
}

func (l *listener) keepLooking() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.look()
		case <-l.done:
			return
		}
	}
}

// look makes the socket again when it is gone, and gives up when another one is in its place.
func (l *listener) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	file, err := os.Lstat(l.path)
	switch {
	case l.closed || l.lost != nil || err == nil && os.SameFile(file, l.file):
		return
	case err == nil:
		l.lost = fmt.Errorf("agent: %s is another's now; run one agent on it", l.path)
		_ = l.current.Close() // wakes Accept, which says why
		return
	}
	next, file, err := bind(l.path, l.mode)
	if err != nil {
		if !l.missing {
			l.logger.Warn("the socket is gone and cannot be made again yet; programs cannot connect", "error", err.Error())
		}
		l.missing = true
		return
	}
	l.logger.Warn("the socket was removed, and has been made again", "socket", l.path)
	_ = l.current.Close() // wakes Accept, which goes on with the next one
	l.current, l.file, l.missing = next, file, false
}

// Accept implements [net.Listener].
func (l *listener) Accept() (net.Conn, error) {
	for {
		l.mu.Lock()
		current := l.current
		l.mu.Unlock()
		conn, err := current.Accept()
		if err == nil {
			if admitted := l.peers.admit(conn); admitted != nil {
				return admitted, nil
			}
			continue
		}
		l.mu.Lock()
		replaced, lost := l.current != current, l.lost
		l.mu.Unlock()
		switch {
		case lost != nil:
			return nil, lost
		case !replaced:
			return nil, err
		}
	}
}

// Addr implements [net.Listener].
func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// Close ends the listening, and removes the socket if it is still this one.
func (l *listener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.done)
	var err error
	if file, errStat := os.Lstat(l.path); errStat == nil && os.SameFile(file, l.file) {
		err = os.Remove(l.path)
	}
	if errClose := l.current.Close(); l.lost == nil {
		err = errors.Join(err, errClose)
	}
	l.mu.Unlock()
	l.watch.Wait()
	return err
}
