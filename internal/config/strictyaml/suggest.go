package strictyaml

import (
	"fmt"
	"slices"
	"strings"
)

// DidYouMean returns a hint with the candidate nearest to word, "" when none is near.
func DidYouMean(word string, candidates []string) string {
	best, distance := "", min(len(word)/3+2, len(word))
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		if strings.HasPrefix(c, word+"_") { // token for token_env
			return fmt.Sprintf("; did you mean %q?", c)
		}
		if d := editDistance(word, c, distance); d < distance {
			best, distance = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance counts the insertions, deletions, substitutions and swaps of neighbours
// that turn a into b. Above limit it returns limit+1.
func editDistance(a, b string, limit int) int {
	if max(len(a)-len(b), len(b)-len(a)) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differ(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit+1)
}

func differ(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}

// OneOf lists candidates for a person.
func OneOf(candidates []string) string { return strings.Join(candidates, ", ") }
