package reports

import (
	"fmt"
	"time"
)

// atLeast and atMost show a bound to what the eye needs, and never tighter than it is.
func atLeast(m Millis) string { return duration(m - Millis(time.Duration(m)%precision(m))) }

func atMost(m Millis) string {
	if rest := time.Duration(m) % precision(m); rest > 0 {
		m += Millis(precision(m) - rest)
	}
	return duration(m)
}

// precision is what a time is shown to.
func precision(m Millis) time.Duration {
	switch d := time.Duration(m); {
	case d < time.Second:
		return time.Millisecond
	case d < time.Minute:
		return 10 * time.Millisecond
	}
	return time.Second
}

// duration shows a time to what the eye needs.
func duration(m Millis) string {
	d := time.Duration(m)
	switch {
	case d < time.Second:
		return fmt.Sprintf("%.0fms", float64(d)/float64(time.Millisecond))
	case d < time.Minute:
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}
