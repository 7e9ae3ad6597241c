package console

import (
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether f is a terminal that interprets sequences.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) && interpret(f) }
