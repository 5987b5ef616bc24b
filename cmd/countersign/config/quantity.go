package config

import (
	"fmt"
	"math/big"
	"regexp"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// quantityText is a quantity of Kubernetes without its exponent form, which nobody writes for CPU or memory.
var quantityText = regexp.MustCompile(`^([0-9]{1,15}(?:\.[0-9]{1,9})?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$`)

var quantityUnits = map[string]int64{
	"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
	"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50,
}

// quantity returns the amount that a text is, and whether it is one.
func quantity(text string) (amount *big.Rat, unit string, ok bool) {
	parts := quantityText.FindStringSubmatch(text)
	if parts == nil {
		return nil, "", false
	}
	amount, ok = new(big.Rat).SetString(parts[1])
	if !ok {
		return nil, "", false
	}
	if unit = parts[2]; unit == "m" {
		return amount.Quo(amount, big.NewRat(1000, 1)), unit, true
	}
	return amount.Mul(amount, new(big.Rat).SetInt64(quantityUnits[unit])), unit, true
}

// cpuAmount and memoryAmount hold what has the pattern of their format to more.
func cpuAmount(text string) string {
	amount, _, ok := quantity(text)
	switch {
	case !ok || amount.Cmp(big.NewRat(1, 1000)) < 0:
		return fmt.Sprintf("%s is less than a thousandth of a CPU; write 1m or more", document.Quote(text))
	case !new(big.Rat).Mul(amount, big.NewRat(1000, 1)).IsInt():
		return fmt.Sprintf("%s is finer than a thousandth of a CPU; write it as 100m", document.Quote(text))
	}
	return ""
}

func memoryAmount(text string) string {
	amount, unit, ok := quantity(text)
	switch {
	case unit == "m":
		return fmt.Sprintf("%s is in thousandths of a byte; write %sMi", document.Quote(text), document.Plain(text[:len(text)-1]))
	case !ok || amount.Cmp(big.NewRat(1<<20, 1)) < 0:
		return fmt.Sprintf("%s is less than 1Mi, and no program runs in it; write it with its unit, such as 64Mi", document.Quote(text))
	}
	return ""
}
