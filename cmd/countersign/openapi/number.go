package openapi

import (
	"math"
	"math/big"
	"strconv"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// size reads a keyword that counts something: minLength, maxItems.
func size(n *document.Node) (int, bool) {
	if n == nil || n.Kind != document.Number {
		return 0, false
	}
	f, err := strconv.ParseFloat(n.Text, 64)
	if err != nil || f < 0 || f > math.MaxInt32 {
		return 0, false
	}
	return int(f), true
}

// number makes a number within the bounds: the least that is allowed, or 1 where that is.
func number(parts []*document.Node, whole bool) string {
	low, lowOut := bound(parts, "minimum", "exclusiveMinimum", 1)
	high, highOut := bound(parts, "maximum", "exclusiveMaximum", -1)
	step := rational(keyword(parts, "multipleOf"))
	if step == nil || step.Sign() <= 0 {
		step = big.NewRat(1, 1)
		if low != nil && high != nil && !whole && new(big.Rat).Sub(high, low).Cmp(step) < 0 {
			step.Quo(new(big.Rat).Sub(high, low), big.NewRat(2, 1)) // there may be no whole number between them
		}
	}
	fits := func(x *big.Rat) bool {
		aboveLow := low == nil || x.Cmp(low) > 0 || !lowOut && x.Cmp(low) == 0
		belowHigh := high == nil || x.Cmp(high) < 0 || !highOut && x.Cmp(high) == 0
		return aboveLow && belowHigh
	}
	x := new(big.Rat).Set(step)
	if whole && !step.IsInt() {
		x.SetInt64(1)
	}
	if fits(x) {
		return decimal(x)
	}
	for _, edge := range []*big.Rat{low, high} {
		if edge == nil || step.Sign() == 0 {
			continue
		}
		quotient := new(big.Rat).Quo(edge, step)
		floor := new(big.Rat).SetInt(new(big.Int).Div(quotient.Num(), quotient.Denom()))
		for _, move := range []int64{0, 1, -1} {
			x := new(big.Rat).Mul(new(big.Rat).Add(floor, big.NewRat(move, 1)), step)
			if fits(x) && (!whole || x.IsInt()) {
				return decimal(x)
			}
		}
	}
	return "1"
}

// bound reads a bound with what excludes it: a boolean beside it in OpenAPI 3.0, a number of its own in 3.1. Towards is the side on
// which the allowed numbers are.
func bound(parts []*document.Node, name, exclusive string, towards int) (edge *big.Rat, excluded bool) {
	edge = rational(keyword(parts, name))
	other := keyword(parts, exclusive)
	if other != nil && other.Kind == document.Bool {
		return edge, other.Text == "true"
	}
	if x := rational(other); x != nil && (edge == nil || x.Cmp(edge)*towards >= 0) {
		return x, true
	}
	return edge, false
}

// rational reads a number. One with a large exponent is short as text and huge as a number.
func rational(n *document.Node) *big.Rat {
	if n == nil || n.Kind != document.Number || len(n.Text) > 40 {
		return nil
	}
	if f, err := strconv.ParseFloat(n.Text, 64); err != nil || math.Abs(f) > 1e20 || f != 0 && math.Abs(f) < 1e-20 {
		return nil
	}
	x, ok := new(big.Rat).SetString(n.Text)
	if !ok {
		return nil
	}
	return x
}

func decimal(x *big.Rat) string {
	if x.IsInt() {
		return x.Num().String()
	}
	f, _ := x.Float64()
	return strconv.FormatFloat(f, 'f', -1, 64)
}
