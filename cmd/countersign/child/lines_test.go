package child_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/child"
)

// What a service says before it fails is shown, wherever it stands among the lines of a proof's requests.
func TestHeldLinesThatAreUnlikeTheOthers(t *testing.T) {
	panics := []string{
		"2026/11/23 17:11:06 http: panic serving 127.0.0.1:40022: assignment to entry in nil map", "goroutine 99 [running]:",
		"net/http.(*conn).serve.func1()", "\t/usr/local/go/src/net/http/server.go:1943 +0xbe", "example.com/you/shop.create({0x7d9ae0, 0xc0001b2000}, 0xc00028a000)",
		"\t/home/you/shop/api.go:30 +0x45",
	}
	var lines []string
	for n := range 500 {
		lines = append(lines, fmt.Sprintf("2026/11/23 17:11:%02d INFO countersign: decision decision=deny id=%x", n%60, n*7919))
		if n == 100 {
			lines = append(lines, panics...)
		}
	}
	var out bytes.Buffer
	child.Hold(&out, true, lines...)
	for _, line := range panics {
		if !strings.Contains(out.String(), "shop | "+line+"\n") {
			t.Errorf("%q is not shown", line)
		}
	}
	if !strings.HasSuffix(out.String(), "shop | (497 lines during the proof are not shown)\n") || strings.Count(out.String(), "\n") != len(panics)+4 {
		t.Errorf("printed\n%s", &out)
	}
	out.Reset()
	child.Hold(&out, false, lines...)
	if got := out.String(); got != "shop | (506 lines during the proof are not shown)\n" {
		t.Errorf("printed %q", got)
	}
	out.Reset()
	child.Hold(&out, true, "one", "two", "three")
	if got := out.String(); got != "shop | one\nshop | two\nshop | three\n" {
		t.Errorf("printed %q", got)
	}
	// However many kinds there are, it is bounded.
	out.Reset()
	lines = nil
	for n := range 5000 {
		lines = append(lines, strings.Repeat(string(rune('a'+n%26)), 1+n/26%40)+string(rune('A'+n/1040)))
	}
	child.Hold(&out, true, lines...)
	if n := strings.Count(out.String(), "\n"); n != 41 {
		t.Errorf("%d lines of 5000 are shown", n)
	}
}
