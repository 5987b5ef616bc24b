package postgres

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

// drillOf is a drill without disorder, for its helpers.
func drillOf(t *testing.T, f *fleet) *drill {
	return &drill{fleet: f, t: t, ctx: t.Context(), counts: map[string]int{}, delays: map[string][]time.Duration{}, back: time.Now()}
}

// TestFrozenReplica stops a replica, as a machine that swaps or a paused container does, at any moment of its commits: it
// must hold no lock that the others wait for.
func TestFrozenReplica(t *testing.T) {
	f := newFleet(t, 2)
	pool := drillOf(t, f).newPool("frozen")
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	t.Cleanup(writing.Wait)
	t.Cleanup(stop)
	frozen, other := f.replicas[0], f.replicas[1]
	create := func(ctx context.Context, r *replica, name string) error {
		_, err := f.api("http://"+r.address()).CreateUserPoolClient(ctx, &cognitoidentityprovider.CreateUserPoolClientInput{UserPoolId: &pool, ClientName: &name})
		return err
	}
	for w := range 4 {
		writing.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_ = create(ctx, frozen, fmt.Sprintf("frozen-%d-%d", w, n))
			}
		})
	}
	slowest := time.Duration(0)
	for round := range 20 {
		<-time.After(37 * time.Millisecond) // somewhere in a commit
		frozen.signal(t, syscall.SIGSTOP)
		began := time.Now()
		if err := create(t.Context(), other, fmt.Sprint("other-", round)); err != nil {
			t.Errorf("a change while another replica is frozen: %v", err)
		}
		slowest = max(slowest, time.Since(began))
		frozen.signal(t, syscall.SIGCONT)
	}
	t.Logf("20 changes while another replica was frozen in its commits: the slowest took %v", slowest.Round(time.Millisecond))
	if slowest > 10*time.Second {
		t.Error("a frozen replica holds up the others")
	}
}

func (r *replica) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.process.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// TestFrozenServer stops the database without a word, as a cut network does: nothing is refused, nothing answers.
func TestFrozenServer(t *testing.T) {
	f := newFleet(t, 1)
	d := drillOf(t, f)
	d.pools = []string{d.newPool("frozen")}
	caller := d.newCallers(1)[0]
	f.server.signal(t, syscall.SIGSTOP)
	t.Cleanup(func() { f.server.signal(t, syscall.SIGCONT) })
	slowest := time.Duration(0)
	for range 100 {
		began := time.Now()
		if _, ok := d.token(caller); !ok {
			t.Fatalf("a token while the database is frozen: %v", d.problems)
		}
		slowest = max(slowest, time.Since(began))
	}
	began := time.Now()
	described, err := f.api(f.balancer.URL).DescribeUserPool(t.Context(), &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &caller.pool})
	if err != nil || described.UserPool == nil {
		t.Errorf("DescribeUserPool while the database is frozen: %v", err)
	}
	t.Logf("while the database is frozen: the slowest of 100 tokens took %v, DescribeUserPool %v",
		slowest.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	if time.Since(began) > 20*time.Second || slowest > 10*time.Second {
		t.Error("requests wait for the frozen database")
	}
	f.server.signal(t, syscall.SIGCONT)
	name := "after"
	began = time.Now()
	_, err = f.api(f.balancer.URL).CreateUserPoolClient(t.Context(), &cognitoidentityprovider.CreateUserPoolClientInput{UserPoolId: &caller.pool, ClientName: &name})
	if err != nil {
		t.Errorf("a change afterwards: %v", err)
	}
	t.Logf("the first change afterwards took %v", time.Since(began).Round(time.Millisecond))
}

// signal reaches the postmaster and every process of it.
func (s *server) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	pid := s.process.Process.Pid
	for _, p := range append(childrenOf(pid), pid) {
		if err := syscall.Kill(p, signal); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
}
