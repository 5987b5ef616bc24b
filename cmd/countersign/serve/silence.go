package serve

import "time"

// A silence is the connections that wait for their peers, those that have waited longest first: a ring through them, since it
// changes twice with each request.
type silence struct{ ring peer }

func (s *silence) begin() { s.ring.next, s.ring.previous = &s.ring, &s.ring }

// longest returns the one that has waited longest, and how much longer it may.
func (s *silence) longest(now time.Time) (p *peer, left time.Duration) {
	if p = s.ring.next; p == &s.ring {
		return nil, 0
	}
	return p, p.since.Add(patience).Sub(now)
}

func (s *silence) add(p *peer) {
	p.since = time.Now()
	p.next, p.previous = &s.ring, s.ring.previous
	p.previous.next, p.next.previous = p, p
}

// leave takes the connection out of the silence that it is in, if it is in one.
func (p *peer) leave() {
	if p.next == nil {
		return
	}
	p.previous.next, p.next.previous = p.next, p.previous
	p.next, p.previous = nil, nil
}
