package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"mirror/internal/humanize"
)

// Write prints the results as a table in Markdown: medians, and the first tool's time and CPU time in relation to each
// other one's, as the median of the ratios within a round.
func (c *Contest) Write(w io.Writer, title string) {
	fmt.Fprintf(w, "| %s | tool | time | CPU | memory | requests | sent | read | ratio of time | ratio of CPU |\n", title)
	fmt.Fprintf(w, "|%s\n", strings.Repeat(" --- |", 10))
	for _, step := range c.Steps {
		for _, tool := range c.present() {
			if costs := c.costs[cell{tool.Name, step.Name}]; len(costs) > 0 {
				c.row(w, step.Name, tool.Name, costs)
			}
		}
	}
	c.footnotes(w)
}

func (c *Contest) row(w io.Writer, step, tool string, costs []Cost) {
	traffic := c.traffic[cell{tool, step}]
	requests := "–"
	if traffic.Requests > 0 {
		requests = fmt.Sprint(traffic.Requests)
	}
	ours := c.costs[cell{c.Tools[0].Name, step}]
	fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", step, tool,
		seconds(median(costs, func(c Cost) time.Duration { return c.Wall })), seconds(median(costs, func(c Cost) time.Duration { return c.CPU })),
		humanize.Bytes(median(costs, func(c Cost) int64 { return c.Memory })), requests, humanize.Bytes(traffic.Sent), humanize.Bytes(traffic.Read),
		ratio(ours, costs, tool == c.Tools[0].Name, func(c Cost) float64 { return c.Wall.Seconds() }),
		ratio(ours, costs, tool == c.Tools[0].Name, func(c Cost) float64 { return c.CPU.Seconds() }))
}

// ratio is the median of ours[i] / theirs[i].
func ratio(ours, theirs []Cost, same bool, of func(Cost) float64) string {
	if same || len(ours) != len(theirs) {
		return ""
	}
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = of(ours[i]) / max(of(theirs[i]), 1e-6)
	}
	return fmt.Sprintf("%.2f", middle(ratios))
}

// middle is the median.
func middle[T float64 | int64 | time.Duration](values []T) T {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

func median[T int64 | time.Duration](costs []Cost, of func(Cost) T) T {
	values := make([]T, len(costs))
	for i, c := range costs {
		values[i] = of(c)
	}
	return middle(values)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// footnotes names versions, and the tools that are not installed.
func (c *Contest) footnotes(w io.Writer) {
	fmt.Fprintf(w, "\nMedians of %d rounds. %s.\n", c.Rounds, Machine())
	for _, tool := range c.Tools {
		switch {
		case tool.Missing != "":
			fmt.Fprintf(w, "- %s: %s is not installed.\n", tool.Name, tool.Missing)
		case tool.Version != "":
			fmt.Fprintf(w, "- %s: %s.\n", tool.Name, version(tool.Version))
		}
	}
}

// version is the first line that a command prints.
func version(line string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "sh", "-c", line).CombinedOutput()
	if err != nil {
		return "version unknown"
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first
}

// Machine describes this machine, and its load at present.
func Machine() string {
	text := fmt.Sprintf("%d processors, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		if words := strings.Fields(string(load)); len(words) > 2 {
			text += fmt.Sprintf(", load at the end %s (1 min), %s (5 min)", words[0], words[1])
		}
	}
	return text
}
