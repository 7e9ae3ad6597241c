// Package contentdiff compares the content of the files that a publish would change with what the
// targets hold live, as unified diffs. It changes nothing, and reads a bounded number of bytes.
package contentdiff

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	unified "github.com/rogpeppe/go-internal/diff"

	"mirror/reports"
	"mirror/site"
	"mirror/targets"
)

// Bounds of one comparison.
const (
	MaxFiles = 40       // that are compared
	MaxBytes = 1 << 20  // of one file
	maxDiff  = 64 << 10 // bytes of one diff
	maxLine  = 2000     // bytes of one line of a diff
	longLine = 1000     // bytes: longer lines are broken
	patience = time.Minute
)

// Change is what one target would change.
type Change struct {
	targets.Destination
	Paths []string // whose content changes
}

// held is the live content of one path on the targets that hold the same.
type held struct {
	content []byte
	known   bool   // content was read
	why     string // it was not read
	targets []string
}

// Of returns the differences, in path order, of the first MaxFiles changed paths, and how many paths it
// left out. A target that cannot return single files, or does not answer, is named in a note.
func Of(ctx context.Context, rel *site.Release, changes []Change) (diffs []reports.PlanDiff, left int) {
	paths := map[string]bool{}
	for _, c := range changes {
		for _, p := range c.Paths {
			paths[p] = true
		}
	}
	first := slices.Sorted(maps.Keys(paths))
	if len(first) > MaxFiles {
		first, left = first[:MaxFiles], len(first)-MaxFiles
	}
	live := read(ctx, changes, first)
	for _, path := range first {
		f, ok := rel.Manifest.Find(path)
		if !ok {
			continue
		}
		content, err := contentOf(ctx, rel, f)
		for _, h := range live[path] {
			d := reports.PlanDiff{Path: path, Targets: h.targets, OldBytes: -1, NewBytes: f.Size, Note: h.why}
			if err != nil {
				d.Note = "the file cannot be read: " + err.Error()
			} else if h.known {
				d.OldBytes = int64(len(h.content))
				d.Diff, d.Note = compare(h.content, content, f.Size)
			}
			diffs = append(diffs, d)
		}
	}
	return diffs, left
}

// read reads the live content of the paths, from all targets at once. Targets with the same content of a
// path share an entry.
func read(ctx context.Context, changes []Change, paths []string) map[string][]*held {
	contents, whys := make([]map[string][]byte, len(changes)), make([]string, len(changes))
	var all sync.WaitGroup
	for i, c := range changes {
		all.Go(func() { contents[i], whys[i] = c.read(ctx, paths) })
	}
	all.Wait()
	found := map[string][]*held{}
	for i, c := range changes {
		for _, path := range c.Paths {
			text, known := contents[i][path]
			same := slices.IndexFunc(found[path], func(h *held) bool {
				return h.known == known && h.why == whys[i] && bytes.Equal(h.content, text)
			})
			if same < 0 {
				same = len(found[path])
				found[path] = append(found[path], &held{content: text, known: known, why: whys[i]})
			}
			found[path][same].targets = append(found[path][same].targets, c.Name)
		}
	}
	return found
}

// read reads what one target holds at those of the paths that it would change. why says why a path that is
// not among the contents was not read.
func (c Change) read(ctx context.Context, paths []string) (contents map[string][]byte, why string) {
	reader, ok := c.Target.(targets.ContentReader)
	if !ok {
		return nil, "this kind of target returns no single files"
	}
	own := slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		_, mine := slices.BinarySearch(c.Paths, path)
		return !mine
	})
	if len(own) == 0 {
		return nil, ""
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	contents, err := reader.ReadContents(ctx, own, MaxBytes)
	if err != nil {
		return nil, "the live content was not read: " + err.Error()
	}
	return contents, fmt.Sprintf("not compared: larger than %d MiB, or not a regular file,", MaxBytes>>20)
}

// contentOf reads a file of the release, nil where it is too large.
func contentOf(ctx context.Context, rel *site.Release, f site.File) ([]byte, error) {
	if f.Size > MaxBytes {
		return nil, nil
	}
	r, err := rel.OpenContext(ctx, f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, MaxBytes))
}

// compare returns the hunks of a unified diff, and a note that says why there is none or how it was made.
func compare(old, next []byte, size int64) (hunks, note string) {
	if size > MaxBytes {
		return "", fmt.Sprintf("not compared: larger than %d MiB", MaxBytes>>20)
	}
	return Unified(old, next)
}

// Unified returns the hunks of a unified diff of two texts of at most MaxBytes, and a note that says why
// there is none or how it was made.
func Unified(old, next []byte) (hunks, note string) {
	switch {
	case isBinary(old) || isBinary(next):
		return "", "binary"
	case bytes.Equal(old, next):
		return "", "the content is the same"
	}
	if longLines(old) || longLines(next) {
		old, next, note = broken(old), broken(next), "long lines are broken after > ; and }"
	}
	text := string(unified.Diff("live", old, "release", next))
	_, hunks, _ = strings.Cut(text, "\n+++ release\n")
	return bounded(hunks), note
}

// bounded cuts long lines, and what is beyond maxDiff.
func bounded(hunks string) string {
	var b strings.Builder
	for line := range strings.Lines(hunks) {
		if b.Len() > maxDiff {
			b.WriteString("… the rest of this diff is left out\n")
			break
		}
		if len(line) > maxLine {
			line = strings.ToValidUTF8(line[:maxLine], "") + "…\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// longLines reports whether the lines of a text are too long to be compared as they are: those of a page
// that a generator minified.
func longLines(text []byte) bool {
	for line := range bytes.Lines(text) {
		if len(line) > longLine {
			return true
		}
	}
	return false
}

// broken returns a text with a line break after each tag, rule and statement.
func broken(text []byte) []byte {
	out := make([]byte, 0, len(text)+len(text)/8)
	for i, c := range text {
		out = append(out, c)
		if (c == '>' || c == ';' || c == '}') && i+1 < len(text) && text[i+1] != '\n' {
			out = append(out, '\n')
		}
	}
	return out
}

// isBinary reports whether content is not text, as git tells: by a NUL byte at its beginning. What is not
// UTF-8 and is no other text to a browser is binary too.
func isBinary(content []byte) bool {
	head := content[:min(len(content), 8000)]
	if bytes.IndexByte(head, 0) >= 0 {
		return true
	}
	return !utf8.Valid(content) && !strings.HasPrefix(http.DetectContentType(head), "text/")
}
