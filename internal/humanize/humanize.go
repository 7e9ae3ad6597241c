// Package humanize writes numbers for people: counts with their noun, and sizes.
package humanize

import "fmt"

// Plural counts things: "1 page", "2 pages".
func Plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Are counts things as the beginning of a clause: "1 page is", "2 pages are".
func Are(n int, thing string) string {
	if n == 1 {
		return "1 " + thing + " is"
	}
	return Plural(n, thing) + " are"
}

// Bytes shows a size to three digits, in powers of 1024: "11B", "3.24MiB".
func Bytes(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%dB", n)
	}
	value, units := float64(n), "KMGTPE"
	for i := range len(units) {
		value /= unit
		if value < unit || i == len(units)-1 {
			return fmt.Sprintf("%.*f%ciB", decimals(value), value, units[i])
		}
	}
	return ""
}

func decimals(value float64) int {
	switch {
	case value >= 100:
		return 0
	case value >= 10:
		return 1
	}
	return 2
}
