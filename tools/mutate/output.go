package main

import (
	"regexp"
	"strings"
	"time"
)

// What go test prints of a test that is over. Only the test itself, and none of its subtests, stands at the beginning of a line.
var (
	failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	well   = regexp.MustCompile(`(?m)^--- PASS: (\S+) \((\S+)\)$`)
)

// test is a test that passed, and the time that it took.
type test struct {
	name string
	took time.Duration
}

// passed are the tests in the output of a run with -test.v.
func passed(text string) []test {
	var tests []test
	for _, found := range well.FindAllStringSubmatch(text, -1) {
		took, err := time.ParseDuration(found[2])
		if err != nil {
			took = time.Hour // it stands last then
		}
		tests = append(tests, test{found[1], took})
	}
	return tests
}

// What firstFailure says of tests that ended otherwise than by one of them.
const (
	noEnd = "(no end)"
	crash = "(crash)"
)

// firstFailure is the innermost test that failed first, or how else the tests ended.
func firstFailure(text string) string {
	if strings.Contains(text, "panic: test timed out") {
		return noEnd
	}
	name := ""
	for _, found := range failed.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(found[1], name) {
			break
		}
		name = found[1]
	}
	if name == "" {
		return crash
	}
	return name
}

// topOf is the test of which a subtest is part.
func topOf(name string) string {
	top, _, _ := strings.Cut(name, "/")
	return top
}
