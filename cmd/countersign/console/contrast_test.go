package console_test

import (
	"math"
	"os"
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

// WCAG 2.2, Success Criterion 1.4.3: text has a contrast of at least 4.5 to 1, in either scheme.
func TestColoursHaveContrast(t *testing.T) {
	css, err := os.ReadFile("style.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.SplitN(string(css), "prefers-color-scheme: dark", 2)
	if len(blocks) != 2 {
		t.Fatal("no dark scheme")
	}
	pairs := [][2]string{
		{"ink", "paper"}, {"ink", "panel"}, {"soft", "paper"}, {"soft", "panel"}, {"soft", "mute-bg"}, {"accent", "paper"}, {"accent", "panel"},
		{"good", "good-bg"}, {"good", "panel"}, {"bad", "bad-bg"}, {"warn", "warn-bg"}, {"warn", "panel"}, {"warn", "bad-bg"}, {"calm", "calm-bg"},
		{"ink", "good-bg"}, {"ink", "bad-bg"}, {"ink", "mute-bg"}, {"soft", "bad-bg"}, {"accent", "good-bg"}, {"accent", "bad-bg"},
	}
	for scheme, block := range map[string]string{"light": blocks[0], "dark": blocks[1]} {
		for _, pair := range pairs {
			a, b := luminance(t, block, pair[0]), luminance(t, block, pair[1])
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
				t.Errorf("%s: %s on %s has a contrast of %.2f", scheme, pair[0], pair[1], ratio)
			}
		}
	}
}
