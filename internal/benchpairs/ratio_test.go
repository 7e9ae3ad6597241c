package main

import (
	"math"
	"strings"
	"testing"
)

func TestIntervalIsOfOrderStatistics(t *testing.T) {
	numbers := []float64{15, 3, 8, 1, 12, 6, 10, 2, 14, 5, 9, 4, 13, 7, 11}
	// Of 15 the 4th and the 12th enclose the median with 96.5 % (a table of the sign test).
	if low, median, high := interval(numbers); low != 4 || median != 8 || high != 12 {
		t.Errorf("got %v, %v, %v; want 4, 8, 12", low, median, high)
	}
	if low, median, high := interval(numbers[:6]); low != 1 || median != 7 || high != 15 {
		t.Errorf("of six: got %v, %v, %v; want 1, 7, 15", low, median, high)
	}
	if low, _, high := interval(numbers[:5]); !math.IsInf(low, -1) || !math.IsInf(high, 1) {
		t.Errorf("of five: got %v to %v, want no bounds", low, high)
	}
}

func TestReportCountsWhatIsWorse(t *testing.T) {
	all := samples{}
	for i := range 15 {
		noise := 1 + float64(i%3)/1000
		all.add(parse("BenchmarkA-2 \t 10\t 1000 ns/op\t 5 requests\t 100 MB/s\nBenchmarkGone 1 2 ns/op\nok"),
			figures{"BenchmarkA-2 ns/op": 1100 * noise, "BenchmarkA-2 requests": 5, "BenchmarkA-2 MB/s": 100 / noise})
	}
	var text strings.Builder
	if worse := report(&text, "./a", all, 1.05); worse != 1 || strings.Count(text.String(), "worse") != 1 || strings.Contains(text.String(), "Gone") {
		t.Errorf("%d are worse:\n%s", worse, text.String())
	}
	if worse := report(&text, "./a", all, 1.2); worse != 0 {
		t.Errorf("%d are worse at a limit of 1.2", worse)
	}
}
