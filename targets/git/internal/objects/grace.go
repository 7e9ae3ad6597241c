package objects

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"mirror/targets/grace"
)

// MaxGrace bounds the files of earlier releases that a commit records: hosts show the message.
const MaxGrace = 2000

// graceLine writes an entry: when it left, for how many releases it is gone, and its path.
func graceLine(e grace.Entry) string {
	return fmt.Sprintf("%d %d %s", e.Left.Unix(), e.Releases, quoteOdd(e.Path))
}

// parseGrace reads the files of earlier releases from a message. What graceLine did not write is left out.
func parseGrace(message string) grace.List {
	var l grace.List
	for line := range strings.Lines(lastLines(message)) {
		value, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), trailerGrace+": ")
		if !ok || len(l) >= MaxGrace {
			continue
		}
		left, rest, _ := strings.Cut(value, " ")
		count, path, _ := strings.Cut(rest, " ")
		at, err := strconv.ParseInt(left, 10, 64)
		releases, countErr := strconv.Atoi(count)
		if path = unquoted(path); err != nil || countErr != nil || path == "." || !fs.ValidPath(path) {
			continue
		}
		l = append(l, grace.Entry{Path: path, Left: time.Unix(at, 0).UTC(), Releases: releases})
	}
	return l.Sorted(MaxGrace)
}
