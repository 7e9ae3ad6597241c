// Package console tells whether a stream is a terminal that understands the sequences for colours and for
// moving the cursor. The console of Windows has to be told to interpret them (virtual terminal), and that
// of Windows before 10 cannot.
package console

import (
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether f is a terminal that interprets sequences.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) && interpret(f) }
