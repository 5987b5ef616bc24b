package manifests

import (
	"math/big"
	"regexp"
)

// quantityForm is an amount of memory in the forms that people write: 128Mi, 1.5G.
var quantityForm = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$`)

var suffixes = map[string]*big.Rat{
	"":  big.NewRat(1, 1),
	"k": big.NewRat(1e3, 1), "M": big.NewRat(1e6, 1), "G": big.NewRat(1e9, 1), "T": big.NewRat(1e12, 1),
	"Ki": big.NewRat(1<<10, 1), "Mi": big.NewRat(1<<20, 1), "Gi": big.NewRat(1<<30, 1), "Ti": big.NewRat(1<<40, 1),
}

// parseQuantity returns nil for a text that is no quantity, and for one that is not above zero.
func parseQuantity(text string) *big.Rat {
	m := quantityForm.FindStringSubmatch(text)
	if m == nil || len(text) > 20 {
		return nil
	}
	number, ok := new(big.Rat).SetString(m[1])
	if !ok || number.Sign() <= 0 {
		return nil
	}
	return number.Mul(number, suffixes[m[2]])
}

// resolveResources needs the memory limit as a number.
func (r *renderer) resolveResources() {
	text := r.cfg.Kubernetes.Resources.MemoryLimit
	limit := parseQuantity(text)
	// A Go program with a TLS client does not live in less; a smaller number is a unit that was mistaken.
	if limit == nil || limit.Cmp(big.NewRat(16<<20, 1)) < 0 {
		r.problems.at("kubernetes.resources.memoryLimit", "%s is less than 16Mi, in which no Go service starts; write it with its unit, such as 128Mi", text)
		return
	}
	r.memory = new(big.Int).Quo(limit.Num(), limit.Denom()).Int64()
}
