// Package console shows what a command does to the person before it: progress bars and a table
// that is drawn over itself on a terminal, plain lines elsewhere, the log of a daemon, and a
// question before files of others are deleted.
//
// A stream counts as a terminal where it understands the sequences for colours and for moving the
// cursor. The console of Windows has to be told to interpret them (virtual terminal), and that
// of Windows before 10 cannot.
package console

import (
	"io"
	"os"

	"golang.org/x/term"

	"mirror/internal/secrets"
	"mirror/reports"
)

// Console is the streams of a command, and how it is to show things there.
type Console struct {
	Stdin   io.Reader
	Stderr  io.Writer         // scrubbed of secrets
	Secrets *secrets.Scrubber // nil for none
	Getenv  func(name string) string
	NoColor bool
	Quiet   bool // no progress
	Verbose bool
}

// Style says how text on w is shown: plain where w is no terminal. What s says stays.
func (c Console) Style(w io.Writer, s reports.Style) reports.Style {
	fd, ok := Terminal(w)
	if !ok {
		return s
	}
	s.Color, s.Lines = c.colors(), true
	if width, _, err := term.GetSize(fd); err == nil {
		s.Width = width
	}
	return s
}

func (c Console) colors() bool {
	return !c.NoColor && c.Getenv("NO_COLOR") == "" && c.Getenv("TERM") != "dumb"
}

// Paint gives text for stderr a colour, by its sequence, where colours are shown.
func (c Console) Paint(color, text string) string {
	if _, ok := Terminal(c.Stderr); !ok || !c.colors() {
		return text
	}
	return color + text + "\x1b[0m"
}

// Terminal returns the file descriptor of a stream that is a terminal, scrubbed or not.
func Terminal(stream any) (fd int, ok bool) {
	f, ok := unwrapped(stream).(*os.File)
	if !ok {
		return 0, false
	}
	return int(f.Fd()), IsTerminal(f)
}

// unwrapped is the stream behind a scrubbed one.
func unwrapped(stream any) any {
	if scrubbed, ok := stream.(*secrets.Writer); ok {
		return scrubbed.Unwrap()
	}
	return stream
}
