package agent

import (
	"log/slog"
	"net"
	"sync"
)

// maxConnections is how many connections one user may hold. A program asks rarely and lets go when it is answered; whoever holds
// them all would keep every other user's programs out.
const maxConnections = 1024

// peers counts connections by the user at their other end.
type peers struct {
	limit  int
	logger *slog.Logger

	mu   sync.Mutex
	open map[int]int
	told map[int]bool // users of whom the log has
}

// peer is a connection, and the user at its other end.
type peer struct {
	net.Conn
	uid   int
	leave func()
}

// Close implements [net.Conn].
func (p *peer) Close() error {
	p.leave()
	return p.Conn.Close()
}

// admit returns the connection with its user, or closes it and returns nil: when the kernel does not say whose it is, and when its
// user has too many.
func (p *peers) admit(conn net.Conn) net.Conn {
	uid, err := peerUID(conn)
	if err != nil || !p.enter(uid) {
		_ = conn.Close()
		return nil
	}
	return &peer{Conn: conn, uid: uid, leave: sync.OnceFunc(func() { p.exit(uid) })}
}

func (p *peers) enter(uid int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[uid] >= p.limit {
		if !p.told[uid] {
			p.told[uid] = true
			p.logger.Warn("a user has too many connections, and gets no further one", "uid", uid, "connections", p.limit)
		}
		return false
	}
	p.open[uid]++
	return true
}

func (p *peers) exit(uid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[uid]--; p.open[uid] == 0 {
		delete(p.open, uid)
		delete(p.told, uid)
	}
}
