package objects

import (
	"strconv"
	"strings"
	"time"

	"mirror/site"
	"mirror/targets"
)

// parsePurged reads the releases that were purged from a message. What NewCommit did not write is left out.
func parsePurged(message string) targets.Purged {
	var all targets.Purged
	for line := range strings.Lines(lastLines(message)) {
		value, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), trailerPurged+": ")
		if !ok || len(all) >= targets.MaxPurged {
			continue
		}
		seconds, text, _ := strings.Cut(value, " ")
		at, err := strconv.ParseInt(seconds, 10, 64)
		id, idErr := site.ParseID(text)
		if err == nil && idErr == nil {
			all = all.With([]site.ID{id}, time.Unix(at, 0))
		}
	}
	return all
}
