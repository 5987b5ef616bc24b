package bench

import (
	"net/http"
	"runtime"

	"github.com/countersign-dev/countersign"
)

// TokenMemory is the heap that a guard holds for each of its live tokens, the token itself and its share of the table counted.
func (s *Suite) TokenMemory() (bytes float64, err error) {
	s.signed() // before the first look at the heap
	before := heap()
	g, err := s.guard(unchanged)
	if err != nil {
		return 0, err
	}
	h := g.Require(rule)(http.HandlerFunc(reached))
	if _, err := requests(h, s.signed, true)(); err != nil {
		return 0, err
	}
	bytes = (heap() - before) / float64(s.tokens)
	runtime.KeepAlive(g)
	_, err = g.Authorize(s.ctx, s.fixture.token(variant{}), countersign.Authenticated())
	return bytes, err
}

func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers and pools held
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
