package console_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// luminance is WCAG's relative luminance of the colour that a style sheet's block gives to a variable.
func luminance(t *testing.T, block, variable string) float64 {
	t.Helper()
	_, rest, ok := strings.Cut(block, "--"+variable+": #")
	if !ok || len(rest) < 6 {
		t.Fatalf("no colour --%s", variable)
	}
	rgb, err := strconv.ParseUint(rest[:6], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(c uint64) float64 {
		v := float64(c&0xff) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(rgb>>16) + 0.7152*linear(rgb>>8) + 0.0722*linear(rgb)
}
