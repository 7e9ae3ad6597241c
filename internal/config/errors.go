package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxErrors bounds how many errors one run reports.
const maxErrors = 50

// Error is one thing wrong with a config, and where it stands.
type Error struct {
	File         string
	Line, Column int // from 1
	Msg          string
}

// Error returns file:line:column: message.
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}

// problems collects the errors of one run.
type problems struct {
	file string
	text []byte
	last int // line
	list []*Error
	seen map[Error]bool
}

func newProblems(file string, text []byte) *problems {
	return &problems{file: file, text: text, last: bytes.Count(text, []byte("\n")) + 1, seen: map[Error]bool{}}
}

// at notes an error, once: aliases lead to the same place again and again.
func (p *problems) at(line, column int, format string, args ...any) {
	line, column = p.within(line, column)
	e := Error{p.file, line, column, fmt.Sprintf(format, args...)}
	if p.seen[e] {
		return
	}
	p.seen[e] = true
	p.list = append(p.list, &e)
}

// within keeps a position inside the text: the YAML reader's may lie behind its end.
func (p *problems) within(line, column int) (int, int) {
	if line > p.last {
		return p.last, utf8.RuneCountInString(p.source(p.last)) + 1
	}
	return max(line, 1), max(column, 1)
}

// source returns a line of the text, "" where there is none.
func (p *problems) source(line int) string {
	lines := bytes.SplitN(p.text, []byte("\n"), max(line, 0)+1)
	if line < 1 || len(lines) < line {
		return ""
	}
	return string(lines[line-1])
}

// on notes an error where a node stands.
func (p *problems) on(n *yaml.Node, format string, args ...any) {
	p.at(n.Line, n.Column, format, args...)
}

// err returns all that was noted, in the file's order, or nil.
func (p *problems) err() error {
	slices.SortStableFunc(p.list, func(a, b *Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	var all []error
	for i, e := range p.list {
		if i == maxErrors {
			more := fmt.Sprintf("and %d more errors from here on", len(p.list)-i)
			all = append(all, &Error{e.File, e.Line, e.Column, more})
			break
		}
		all = append(all, e)
	}
	return errors.Join(all...)
}

// didYouMean returns a hint with the candidate nearest to word, "" when none is near.
func didYouMean(word string, candidates []string) string {
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

// oneOf lists candidates for a person.
func oneOf(candidates []string) string { return strings.Join(candidates, ", ") }
