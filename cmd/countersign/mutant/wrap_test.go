package mutant

import "testing"

func TestWrap(t *testing.T) {
	const source = "handle(pick(Scope(a)), Scope(b))"
	at := func(id, start, end int) site { return site{id: id, start: start, end: end} }
	for _, test := range []struct {
		name  string
		sites []site
		want  string
	}{
		{"none", nil, source},
		{"one", []site{at(1, 23, 31)}, "handle(pick(Scope(a)), countersignMutant(1, Scope(b)))"},
		{"one in another", []site{at(1, 12, 20), at(2, 7, 21)},
			"handle(countersignMutant(2, pick(countersignMutant(1, Scope(a)))), Scope(b))"},
		{"beginning together", []site{at(1, 7, 11), at(2, 7, 21)},
			"handle(countersignMutant(2, countersignMutant(1, pick)(Scope(a))), Scope(b))"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := string(wrap([]byte(source), test.sites)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// The output of tests comes in pieces; only whole lines count.
func TestReader(t *testing.T) {
	var r reader
	for _, piece := range []string{"=== RUN\n--- FA", "IL: TestA (0.0", "0s)\n    --- FAIL: TestA/b\n--- FAIL: TestB (1s)\n", "panic: test timed out", " after 5s\n", "end"} {
		if n, err := r.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	if r.failed != "TestA" || !r.timedOut || r.tail() != "=== RUN\n--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b\n--- FAIL: TestB (1s)\npanic: test timed out after 5s\nend" {
		t.Errorf("failed %q, timed out %t, tail %q", r.failed, r.timedOut, r.tail())
	}
	for range 100_000 {
		r.Write([]byte("a line without a meaning"))
	}
	if len(r.tail()) > 2*maxTail || r.kept.Len() > 8*maxTail || len(r.partial) > 2*maxTail {
		t.Errorf("%d bytes are kept", r.kept.Len())
	}
}
