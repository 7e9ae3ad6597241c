package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// figures are what one run of the benchmarks printed, by benchmark and unit.
type figures map[string]float64

// parse reads lines as "BenchmarkX/y-2  100  1234 ns/op  5 requests".
func parse(out string) figures {
	f := figures{}
	for line := range strings.Lines(out) {
		words := strings.Fields(line)
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		for i := 2; i+1 < len(words); i += 2 {
			if value, err := strconv.ParseFloat(words[i], 64); err == nil {
				f[words[0]+" "+words[i+1]] = value
			}
		}
	}
	return f
}

// samples are the ratios of the pairs, by figure.
type samples map[string][]float64

func (s samples) add(before, after figures) {
	for name, old := range before {
		now, ok := after[name]
		switch {
		case !ok:
		case old == now:
			s[name] = append(s[name], 1)
		case old != 0:
			s[name] = append(s[name], now/old)
		}
	}
}

// interval is the median of numbers with its 95 % confidence interval, from order statistics: how
// many of n numbers lie below the true median is distributed binomially with p = 1/2. Less than six
// numbers have no such interval: it is infinite then.
func interval(numbers []float64) (low, median, high float64) {
	sorted := slices.Sorted(slices.Values(numbers))
	n := len(sorted)
	median = (sorted[(n-1)/2] + sorted[n/2]) / 2
	below, term, k := 0.0, math.Pow(0.5, float64(n)), 0
	for ; k < n; k++ { // below is the chance that fewer than k+1 lie below
		if below+term > 0.025 {
			break
		}
		below += term
		term *= float64(n-k) / float64(k+1)
	}
	if k == 0 {
		return math.Inf(-1), median, math.Inf(1)
	}
	return sorted[k-1], median, sorted[n-k]
}

// isRate reports whether more of a figure is better.
func isRate(name string) bool {
	return strings.HasSuffix(name, "/s")
}

// report prints the ratios and returns how many figures are surely worse than the limit.
func report(w io.Writer, pkg string, all samples, limit float64) (worse int) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s\tnew/old\t95 %% interval\tpairs\t\n", pkg)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		low, median, high := interval(all[name])
		mark := ""
		if !isRate(name) && low > limit || isRate(name) && high < 1/limit {
			worse, mark = worse+1, "worse"
		}
		fmt.Fprintf(table, "%s\t%.3f\t%.3f to %.3f\t%d\t%s\n", name, median, low, high, len(all[name]), mark)
	}
	_ = table.Flush() // the count, and so the exit code, does not depend on who reads
	return worse
}
