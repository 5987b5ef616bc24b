package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

// drillTime is the minute that each change has to pass; `go test -run Drill -args -drill 10m` is for the night.
var drillTime = flag.Duration("drill", time.Minute, "how long replicas and the server are killed under load")

// staleness is what docs/issuer-store.md states: within it, what one replica has acknowledged is known to every other one
// that is up, while the database can be reached.
const staleness = time.Second

// tooLate is what no replica takes for it, on a machine as busy as may be: a drill counts and reports delays, and fails for those.
const tooLate = 15 * time.Second

// A drill is a fleet under load while its parts are killed, and what was seen.
type drill struct {
	*fleet
	t     *testing.T
	ctx   context.Context // ends with the load
	pools []string

	mu       sync.Mutex
	counts   map[string]int
	delays   map[string][]time.Duration
	problems []string
	back     time.Time // when the server answered again; zero while it does not
}

// TestDrill kills replicas and the server at random, while clients ask for tokens, administrators change and rotate, and
// signing keys are rotated. It holds the issuer to three promises: no acknowledged change is lost, no token fails to verify,
// no token request fails while a replica is up.
func TestDrill(t *testing.T) {
	d := newDrill(t)
	ctx, stop := context.WithTimeout(t.Context(), *drillTime)
	defer stop()
	d.ctx = ctx
	var working sync.WaitGroup
	callers := d.newCallers(3)
	for i := range 4 {
		working.Go(func() { d.askForTokens(callers, i) })
	}
	writers := []*adminWriter{d.newWriter(0), d.newWriter(1), d.newWriter(2)}
	for _, w := range writers {
		working.Go(w.write)
	}
	working.Go(func() { d.rotateSecrets(callers) })
	working.Go(d.rotateKeys)
	working.Go(d.killReplicas)
	working.Go(d.killServer)
	working.Wait()

	d.everythingUp()
	for _, r := range d.replicas {
		for _, w := range writers {
			w.compare(r)
		}
		d.compareKeySets(r)
	}
	d.report()
}

func newDrill(t *testing.T) *drill {
	d := &drill{fleet: newFleet(t, 3), t: t, ctx: t.Context(), counts: map[string]int{}, delays: map[string][]time.Duration{}, back: time.Now()}
	for i := range 2 {
		d.pools = append(d.pools, d.newPool(fmt.Sprint("pool-", i)))
	}
	return d
}

// killReplicas kills one at a time, so that another is up as long as it starts in time; who is not, the drill tells.
func (d *drill) killReplicas() {
	for d.pause(1500*time.Millisecond + rand.N(1500*time.Millisecond)) {
		r := d.replicas[rand.N(len(d.replicas))]
		r.kill()
		d.count("replicas killed")
		<-time.After(rand.N(500 * time.Millisecond))
		for d.ctx.Err() == nil {
			if err := r.start(); err == nil {
				break
			}
			d.count("starts without a database") // it has waited ten seconds
		}
	}
}

func (d *drill) killServer() {
	for d.pause(5*time.Second + rand.N(2*time.Second)) {
		d.mu.Lock()
		d.back = time.Time{}
		d.counts["servers killed"]++
		d.mu.Unlock()
		d.server.kill()
		<-time.After(500*time.Millisecond + rand.N(time.Second))
		if err := d.server.start(); err != nil {
			d.problem("the server does not start: %v", err)
			return
		}
		d.mu.Lock()
		d.back = time.Now()
		d.mu.Unlock()
	}
}

// rotateKeys uses the command that an operator uses, and lets the new key sign at once, which is harder than the rotation
// that is published first.
func (d *drill) rotateKeys() {
	for i := 0; d.pause(2500 * time.Millisecond); i++ {
		if i >= 7*len(d.pools) { // a key set has ten keys at most, and old ones stay for a day
			return
		}
		outages := d.outages()
		pool := d.pools[i%len(d.pools)]
		out, err := exec.CommandContext(d.ctx, d.program, "issuer", "keys", "rotate", "--now", "--output", "json",
			"--pool", pool, "--config", d.replicas[0].config).CombinedOutput()
		var rotated struct{ Keys []struct{ Kid string } }
		switch {
		case d.ctx.Err() != nil:
		case err == nil && json.Unmarshal(out, &rotated) == nil && len(rotated.Keys) == 1:
			d.count("keys rotated")
			acknowledged, disturbances := time.Now(), d.disturbances()
			for _, r := range d.replicas {
				d.await(r, "a signing key, in the key set", acknowledged, disturbances, func() bool {
					keys, err := d.keySet(r, pool)
					return err == nil && keys[rotated.Keys[0].Kid] != nil
				})
			}
		case outages != d.outages() || d.serverBack().IsZero(): // it has met an outage
			d.count("key rotations that met an outage")
		default:
			d.problem("keys rotate: %v\n%s", err, out)
		}
	}
}

// await waits until a replica knows something, also one that is down now: its next life may have read the store before. It
// fails when it is too late after the acknowledgement, after the database was back, or after it was up, whichever is last. disturbances is how many there had been at the acknowledgement: a delay counts when there was none since.
func (d *drill) await(r *replica, what string, acknowledged time.Time, disturbances int, known func() bool) {
	disturbed := d.serverBack().After(acknowledged.Add(-staleness))
	for d.ctx.Err() == nil {
		asked := time.Now()
		life, up := r.life()
		if up && known() {
			if took := time.Since(acknowledged); !disturbed && disturbances == d.disturbances() {
				d.delay(what, took)
			}
			return
		}
		from, running := d.serverBack(), !d.serverBack().IsZero()
		for _, later := range []time.Time{acknowledged, r.upSince()} {
			if later.After(from) {
				from = later
			}
		}
		if now, still := r.life(); up && running && still && now == life && asked.Sub(from) > tooLate {
			d.problem("%s does not know %s %v after it was acknowledged", r.name, what, time.Since(acknowledged))
			return
		}
		disturbed = disturbed || !up
		<-time.After(2 * time.Millisecond)
	}
}

// everythingUp ends the disorder, and returns when every replica knows the last change, and so all that came before it.
func (d *drill) everythingUp() {
	if d.serverBack().IsZero() {
		if err := d.server.start(); err != nil {
			d.t.Fatal(err)
		}
	}
	for _, r := range d.replicas {
		if _, up := r.life(); !up {
			if err := r.start(); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	d.ctx = d.t.Context()
	last := ""
	eventually(d.t, "a change is acknowledged again", func() bool {
		made, err := d.api(d.balancer.URL).CreateUserPool(d.ctx, &cognitoidentityprovider.CreateUserPoolInput{PoolName: aws.String("last")})
		if err == nil {
			last = aws.ToString(made.UserPool.Id)
		}
		return err == nil
	})
	for _, r := range d.replicas {
		eventually(d.t, r.name+" knows it", func() bool {
			_, err := d.keySet(r, last)
			return err == nil
		})
	}
}

// compareKeySets holds the replicas to one key set for each pool.
func (d *drill) compareKeySets(r *replica) {
	for _, pool := range d.pools {
		want, err := d.keySet(d.replicas[0], pool)
		if err != nil {
			d.t.Fatal(err)
		}
		if got, err := d.keySet(r, pool); err != nil || len(got) != len(want) {
			d.t.Errorf("%s has %d keys of pool %s, %s has %d (%v)", r.name, len(got), pool, d.replicas[0].name, len(want), err)
		}
	}
}

func (d *drill) report() {
	names := make([]string, 0, len(d.counts))
	for name := range d.counts {
		names = append(names, name)
	}
	slices.Sort(names)
	d.t.Logf("%v with 3 replicas:", *drillTime)
	for _, name := range names {
		d.t.Logf("%8d  %s", d.counts[name], name)
	}
	for name, delays := range d.delays {
		slices.Sort(delays)
		if median := delays[len(delays)/2]; name != "a token" && median > staleness {
			d.t.Errorf("%s: the median is %v, and %v are promised", name, median, staleness)
		}
		d.t.Logf("%s: %d times, median %v, 99th percentile %v, most %v", name, len(delays),
			delays[len(delays)/2].Round(time.Millisecond), delays[len(delays)*99/100].Round(time.Millisecond), delays[len(delays)-1].Round(time.Millisecond))
	}
	for _, problem := range d.problems[:min(len(d.problems), 20)] {
		d.t.Error(problem)
	}
	for _, at := range []string{"tokens", "tokens verified", "changes acknowledged", "secrets rotated", "keys rotated", "replicas killed", "servers killed"} {
		if d.counts[at] == 0 {
			d.t.Errorf("%s: none, so that this was no drill", at)
		}
	}
}

// pause waits, and reports whether the drill goes on.
func (d *drill) pause(wait time.Duration) bool {
	select {
	case <-d.ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

func (d *drill) count(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.counts[what]++
}

func (d *drill) delay(what string, took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delays[what] = append(d.delays[what], took)
}

func (d *drill) problem(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.problems = append(d.problems, fmt.Sprintf(format, args...))
}

// serverBack is since when the server answers; zero while it does not.
func (d *drill) serverBack() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.back
}

// outages is how often the server was killed.
func (d *drill) outages() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts["servers killed"]
}

// disturbances is how often anything was killed.
func (d *drill) disturbances() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts["replicas killed"] + d.counts["servers killed"]
}

// digest stands for a secret in a message.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:4])
}
