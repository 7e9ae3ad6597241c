package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// MaxErrors bounds how many errors one run reports.
const MaxErrors = 500

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
	at   map[*yaml.Node]bool // nodes with an error
}

func newProblems(file string, text []byte) *problems {
	return &problems{file: file, text: text, last: bytes.Count(text, []byte("\n")) + 1, seen: map[Error]bool{}, at: map[*yaml.Node]bool{}}
}

// errorAt notes an error, once: aliases lead to the same place again and again.
func (p *problems) errorAt(line, column int, format string, args ...any) {
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

// Errorf notes an error where a node stands.
func (p *problems) Errorf(n *yaml.Node, format string, args ...any) {
	p.at[n] = true
	p.errorAt(n.Line, n.Column, format, args...)
}

// Err returns all that was noted, in the file's order, or nil.
func (p *problems) Err() error {
	slices.SortStableFunc(p.list, func(a, b *Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	var all []error
	for i, e := range p.list {
		if i == MaxErrors {
			more := fmt.Sprintf("and %d more errors from here on", len(p.list)-i)
			all = append(all, &Error{e.File, e.Line, e.Column, more})
			break
		}
		all = append(all, e)
	}
	return errors.Join(all...)
}
