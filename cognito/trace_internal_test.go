package cognito

import "testing"

// TestNoTraceCostsNothing: where nobody asks for traces, the way of a token allocates nothing for them.
func TestNoTraceCostsNothing(t *testing.T) {
	s := &Service{}
	if got := testing.AllocsPerRun(100, func() { s.part(t.Context(), "signature")(nil) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
