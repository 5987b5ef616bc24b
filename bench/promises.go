package bench

import "fmt"

// promise is a figure that the project holds itself to.
type promise struct {
	what, limit, measured string
	kept                  bool
}

// promises compares what was measured with what is promised.
func (r Report) promises() []promise {
	repeated, first, hostile := r.row("Repeated"), r.row("FirstSight"), r.row("Hostile")
	hit, miss, bare, big := repeated.named(guardName), first.named(guardName), first.named(guardName+authorizeOnly), hostile.named(guardName)
	floor, _ := first.floor()
	var list []promise
	atMost := func(what string, got, limit float64, format func(float64) string) {
		list = append(list, promise{what, "at most " + format(limit), format(got), got <= limit})
	}
	atLeast := func(what string, got, limit float64, note string) {
		list = append(list, promise{what, fmt.Sprintf("at least %g", limit), digits(got) + note, got >= limit})
	}
	fastest := repeated.fastestPeer()
	atMost("a token that was seen before", Best(hit.One), 350, duration)
	atMost("its allocations", hit.Allocs, 2, count)
	atLeast("times faster than the fastest peer", Best(fastest.One)/Best(hit.One), 100, " ("+fastest.Name+")")
	atLeast("scaling from one core to two", hit.scaling(), 1.8, "")
	atMost("first sight (Authorize), times crypto/rsa and SHA-256", Best(bare.One)/Best(floor.One), 1.10, digits)
	atMost("its allocations", bare.Allocs, 12, count)
	fastest = first.fastestPeer()
	list = append(list, promise{"first sight, the whole middleware", "faster than every peer",
		fmt.Sprintf("the fastest, %s, takes %s times as long", fastest.Name, digits(Best(fastest.One)/Best(miss.One))), Best(fastest.One)/Best(miss.One) > 1})
	atMost("a hostile token of 8 MB", Best(big.One), 50e3, duration)
	atMost("bytes allocated for it", big.Bytes, 64<<10, count)
	atMost(fmt.Sprintf("one of %d live tokens", r.Tokens), Best(r.row("ManyTokens").named(guardName).One), 1000, duration)
	for _, held := range []struct {
		row, what     string
		limit, allocs float64
	}{{"ClientToken", "a client's token that is at hand", 50, 0}, {"ClientTransport", "what a token adds to an outgoing request", 500, 3}} {
		line := r.row(held.row).named(clientName)
		atMost(held.what, Best(line.One), held.limit, duration)
		atMost("its allocations", line.Allocs, held.allocs, count)
		atLeast("its scaling from one core to two", line.scaling(), 1.8, "")
	}
	list = append(list, promise{"memory for each of them", "bounded by Config.CacheBytes, 64 MiB unless it says otherwise", count(r.TokenMemory) + " bytes", r.TokenMemory*float64(r.Tokens) <= 64<<20})
	return list
}
