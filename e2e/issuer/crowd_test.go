package issuer

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	crowdSize = 10_000

	onTheirWay = 3000 // callers beyond it, for those that were shed and are not back yet

	// What docs/issuer.md promises while ten thousand connections are slow: so much memory for the process, and answers that
	// come as soon as without them, give or take what two processors have to do for the crowd itself.
	crowdMemory = 512 << 20
	crowdFactor = 20
	crowdLeast  = 20 * time.Second // for a machine on which others work too

	// The server's own bounds: for a header, for a whole request, and for the silence of a caller when there is no room.
	headerTime  = 5 * time.Second
	requestTime = 10 * time.Second
	patience    = 500 * time.Millisecond

	busy = time.Minute // what a machine may take besides, on which others work too
)

// allowFiles raises the limit of open files to what the test and, after it, the server need.
func allowFiles(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	hard := limit.Max
	limit.Max = max(hard, n) // which root may raise
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatalf("the hard limit of open files is %d, and this test needs %d in each of two processes: raise it (ulimit -Hn): %v", hard, n, err)
	}
}

// TestTenThousandSlowConnections: five thousand callers that never end their header and five thousand that never end their body,
// each a new one as soon as the server has shed it, while other callers ask for tokens on connections that they keep and on new ones.
func TestTenThousandSlowConnections(t *testing.T) {
	allowFiles(t, crowdSize+onTheirWay+1000)
	p := start(t, configure(t, "http://issuer.example.com"), "crowded")
	before := p.state()
	without := measure(t, p.URL, 4*time.Second, headerTime, keepAlive, newEachTime)
	idle := p.state()

	crowd := newCrowd(t, p.URL)
	crowd.gather(crowdSize + onTheirWay)
	full := p.stateOnce(func(s state) bool { return s.connections >= crowdSize })
	with := measure(t, p.URL, 8*time.Second, headerTime, keepAlive, newEachTime)
	during := p.stateOnce(func(s state) bool { return s.connections >= crowdSize*9/10 })
	for i, on := range []string{"on connections that are kept", "on new connections"} {
		t.Logf("%s, without the crowd: %s", on, without[i])
		t.Logf("%s, with the crowd:    %s", on, with[i])
		if bound := max(crowdFactor*without[i].p99, crowdLeast); with[i].p99 > bound {
			t.Errorf("%s p99 is %v with the crowd, want %v at most", on, with[i].p99, bound)
		}
	}
	t.Logf("connections: %d when the crowd was complete, %d at the end; %d were shed meanwhile, and came again", full.connections, during.connections, crowd.shed.Load())
	t.Logf("memory: %d MiB before, %d MiB with the crowd, %d MiB at the most: %d KiB a connection",
		idle.memory>>20, max(full.memory, during.memory)>>20, during.most>>20, (max(full.memory, during.memory)-idle.memory)>>10/crowdSize)
	if full.connections < crowdSize || during.connections < crowdSize*9/10 {
		t.Errorf("%d and %d connections were open, want %d", full.connections, during.connections, crowdSize)
	}
	if during.most > crowdMemory {
		t.Errorf("the process took %d MiB, want %d at most", during.most>>20, crowdMemory>>20)
	}

	slowestHeader, slowestBody := crowd.disperse()
	t.Logf("the last slow header was shed %v after it began, the last slow body after %v", slowestHeader.Round(time.Millisecond), slowestBody.Round(time.Millisecond))
	if slowestHeader > headerTime+busy || slowestBody > requestTime+busy {
		t.Errorf("want at most %v and %v, and %v on a busy machine", headerTime, requestTime, busy)
	}
	after := p.stateOnce(func(s state) bool { return s.files <= before.files+20 && s.goroutines <= before.goroutines+20 })
	t.Logf("files: %d before, %d with the crowd, %d after it; goroutines: %d, %d, %d", before.files, during.files, after.files, before.goroutines, during.goroutines, after.goroutines)
	if after.files > before.files+20 || after.goroutines > before.goroutines+20 {
		t.Error("something of the crowd stays behind")
	}
	p.stop()
}

// TestMoreConnectionsThanThereIsRoomFor: those who say nothing make room for those who ask.
func TestMoreConnectionsThanThereIsRoomFor(t *testing.T) {
	config := configure(t, "http://issuer.example.com")
	addTo(t, config, "connections: 300\n")
	p := start(t, config, "small")
	crowd := newCrowd(t, p.URL)
	crowd.gather(1000)
	got := measure(t, p.URL, 5*time.Second, patience, newEachTime)[0] // one that is kept may be closed while it is idle
	s := p.state()
	t.Logf("%s; %d connections open, %.0f closed to make room", got, s.connections, s.metrics["countersign_issuer_connections_closed_total"])
	if s.connections > 300 {
		t.Errorf("%d connections are open, want 300 at most", s.connections)
	}
	crowd.leave()
}

// A crowd is callers that send half a request, byte after byte, and come again when they are sent away.
type crowd struct {
	t       *testing.T
	address string
	staying context.Context
	leave   context.CancelFunc
	callers sync.WaitGroup
	open    atomic.Int64
	shed    atomic.Int64

	mu           sync.Mutex
	header, body time.Duration // the slowest to be shed
}

func newCrowd(t *testing.T, url string) *crowd {
	c := &crowd{t: t, address: url[len("http://"):]}
	c.staying, c.leave = context.WithCancel(context.Background())
	t.Cleanup(c.leave)
	return c
}

// gatherTime is less than the server has patience with the first ones, and long enough for them not to come again all at once.
const gatherTime = 4 * time.Second

// gather returns when all are there.
func (c *crowd) gather(n int) {
	c.t.Helper()
	var first sync.WaitGroup
	first.Add(n)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	for i := range n {
		for float64(i) > float64(n)*float64(time.Since(began))/float64(gatherTime) {
			<-tick.C
		}
		c.callers.Go(func() {
			arrived := sync.OnceFunc(first.Done)
			defer arrived()
			for c.staying.Err() == nil {
				if err := c.visit(i, arrived); err != nil && c.staying.Err() == nil {
					c.t.Errorf("a slow caller: %v", err)
					return
				}
			}
		})
	}
	first.Wait()
}

// visit is one connection until the server closes it. Its source address is one of many: one alone has not enough ports.
func (c *crowd) visit(i int, arrived func()) error {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%100))}}
	conn, err := dialer.Dial("tcp", c.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	began := time.Now()
	text, slowest := "POST /"+pool+"/oauth2/token HTTP/1.1\r\nHost: issuer.example.com\r\nX-", &c.header
	if i%2 == 1 {
		text, slowest = fmt.Sprintf("POST /%s/oauth2/token HTTP/1.1\r\nHost: issuer.example.com\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 2000\r\n\r\ngrant_type=", pool), &c.body
	}
	if _, err := io.WriteString(conn, text); err != nil {
		return nil // it was shed
	}
	c.open.Add(1)
	arrived()
	for buffer := make([]byte, 512); ; {
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		if _, err := conn.Read(buffer); err != nil && !os.IsTimeout(err) {
			break
		}
		if _, err := io.WriteString(conn, "a"); err != nil {
			break
		}
	}
	c.open.Add(-1)
	c.shed.Add(1)
	c.mu.Lock()
	*slowest = max(*slowest, time.Since(began))
	c.mu.Unlock()
	return nil
}

// disperse waits until the server has shed them all, none of whom goes by itself.
func (c *crowd) disperse() (header, body time.Duration) {
	c.leave()
	c.callers.Wait()
	return c.header, c.body
}

// latencies are those of requests that succeeded.
type latencies struct {
	n, late  int // late are those that failed because the machine was too busy
	p50, p99 time.Duration
	most     time.Duration
}

func (l latencies) String() string {
	return fmt.Sprintf("%d tokens, %d too late, p50 %v, p99 %v, most %v", l.n, l.late, l.p50.Round(10*time.Microsecond), l.p99.Round(10*time.Microsecond), l.most.Round(10*time.Microsecond))
}

// measure asks for tokens at a moderate rate, four callers with each of the clients. Each must get its, but for one that the server
// may have closed its connection to, for it had heard nothing for its patience: between connection and request a caller may have to wait
// for a processor, and so may the server before it reads.
func measure(t *testing.T, url string, d, patience time.Duration, clients ...*http.Client) (of []latencies) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var callers sync.WaitGroup
	took, late := make([][4][]time.Duration, len(clients)), make([]atomic.Int64, len(clients))
	for c, client := range clients {
		for i := range took[c] {
			callers.Go(func() {
				for ctx.Err() == nil {
					began := time.Now()
					_, err := askWith(client, url)
					switch each := time.Since(began); {
					case err == nil:
						took[c][i] = append(took[c][i], each)
					case each > patience:
						late[c].Add(1)
					default:
						t.Errorf("a token request, %v after its begin: %v", each, err)
						return
					}
					<-time.After(40 * time.Millisecond)
				}
			})
		}
	}
	callers.Wait()
	for c, each := range took {
		l := summed(t, slices.Concat(each[:]...))
		l.late = int(late[c].Load())
		if l.late > l.n {
			t.Errorf("%d requests were too late, and only %d were not", l.late, l.n)
		}
		of = append(of, l)
	}
	return of
}

func summed(t *testing.T, all []time.Duration) latencies {
	t.Helper()
	if len(all) == 0 {
		t.Fatal("nobody got a token")
	}
	slices.Sort(all)
	return latencies{n: len(all), p50: all[len(all)/2], p99: all[len(all)*99/100], most: all[len(all)-1]}
}
