package chaos

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// A Fate is what happens to a request. The empty one is that nothing does.
type Fate string

// The fates.
const (
	Slow       Fate = "slow"        // the answer comes one to three seconds late
	Error      Fate = "500"         // status 500
	Throttled  Fate = "429"         // status 429
	UnknownKid Fate = "unknown-kid" // a token, or a key set, whose key ids nobody knows
	Truncated  Fate = "truncated"   // half of the answer, then the end of the connection
)

// fates are in the order in which they share the hundred percent: a plan's fates do not depend on how it was written.
var fates = []Fate{Slow, Error, Throttled, UnknownKid, Truncated}

// A Plan says how often each fate comes. The zero value is that nothing ever happens. It is immutable.
type Plan struct {
	shares [5]int // hundredths of a percent, in the order of fates
	seed   uint64
}

// Parse reads a plan as "slow=10,500=2,429=2,unknown-kid=1,truncated=1": percentages of requests, with up to two
// decimals, a hundred together at most. An empty text is the plan without faults. It says every problem at once.
func Parse(text string, seed uint64) (Plan, error) {
	p := Plan{seed: seed}
	if strings.TrimSpace(text) == "" {
		return p, nil
	}
	var problems []error
	var seen [5]bool
	total := 0
	for part := range strings.SplitSeq(text, ",") {
		name, percent, found := strings.Cut(strings.TrimSpace(part), "=")
		i := slices.Index(fates, Fate(name))
		share, ok := parsePercent(percent)
		switch {
		case !found:
			problems = append(problems, fmt.Errorf("chaos: %q is not of the form slow=10", clip(part)))
		case i < 0:
			problems = append(problems, fmt.Errorf("chaos: the fault %q is unknown; known are slow, 500, 429, unknown-kid and truncated", clip(name)))
		case seen[i]:
			problems = append(problems, fmt.Errorf("chaos: %s is there twice", name))
		case !ok:
			problems = append(problems, fmt.Errorf("chaos: %s=%s: want a percentage from 0 to 100 with at most two decimals", name, clip(percent)))
		default:
			seen[i] = true
			p.shares[i] = share
			total += share
		}
	}
	if total > 100_00 {
		problems = append(problems, fmt.Errorf("chaos: the percentages come to %s, more than 100", percentage(total)))
	}
	if err := errors.Join(problems...); err != nil {
		return Plan{}, err
	}
	return p, nil
}

// parsePercent reads digits with up to two decimals, as hundredths.
func parsePercent(text string) (int, bool) {
	whole, fraction, found := strings.Cut(text, ".")
	if found && (fraction == "" || len(fraction) > 2) || whole == "" || len(whole) > 3 {
		return 0, false
	}
	for len(fraction) < 2 {
		fraction += "0"
	}
	for _, c := range whole + fraction {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(whole + fraction)
	return n, err == nil && n <= 100_00
}

func percentage(share int) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%02d", share/100, share%100), "0"), ".")
}

func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// Seed is what the plan was made with.
func (p Plan) Seed() uint64 { return p.seed }

// String returns the plan in the form that [Parse] reads; faults that never come are left out.
func (p Plan) String() string {
	var parts []string
	for i, share := range p.shares {
		if share > 0 {
			parts = append(parts, string(fates[i])+"="+percentage(share))
		}
	}
	return strings.Join(parts, ",")
}

// MarshalJSON writes the plan as the control listener shows it.
func (p Plan) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Chaos string `json:"chaos"`
		Seed  uint64 `json:"seed"`
	}{p.String(), p.seed})
}

// Fate returns what happens to the n-th request, counted from 1. It depends on the plan, its seed and n alone.
func (p Plan) Fate(n uint64) Fate {
	draw := int(p.random(n).Uint64N(100_00))
	for i, share := range p.shares {
		if draw < share {
			return fates[i]
		}
		draw -= share
	}
	return ""
}

// random is the n-th request's own source. The second draw and those after it are for details, such as how slow.
//
// It begins at a hash: the first draws of sources that begin at neighbouring numbers are alike, and faults would come in
// long runs.
func (p Plan) random(n uint64) *rand.Rand {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, p.seed), n))
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])))
}
