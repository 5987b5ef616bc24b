package bench_test

import (
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/bench"
)

// suite has few tokens: the report is for figures, and this is for correctness and for comparing two commits.
func suite(t testing.TB) []bench.Row {
	t.Helper()
	s, err := bench.NewSuite(100)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	rows, err := s.Rows()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestRows runs every line twice: a row that measures an error fails.
func TestRows(t *testing.T) {
	for _, row := range suite(t) {
		for _, c := range row.Contenders {
			t.Run(row.ID+"/"+c.Name, func(t *testing.T) {
				op, err := c.Start()
				if err == nil {
					err = op(2)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// BenchmarkRows is every line of the report, for benchstat.
func BenchmarkRows(b *testing.B) {
	for _, row := range suite(b) {
		for _, c := range row.Contenders {
			b.Run(row.ID+"/"+strings.Trim(c.Name, "*"), func(b *testing.B) {
				op, err := c.Start()
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				b.ResetTimer()
				if err := op(b.N); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
