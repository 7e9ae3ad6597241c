package reports

import "mirror/diff"

// Style says how text is shown.
type Style struct {
	Color bool // ANSI colours
	Lines bool // Unicode box drawing; ASCII else
	Width int  // of the terminal in cells, which no line exceeds from 40 on; 0 for no bound

	Verbose bool // with what one asks for only when something is wrong
	All     bool // every difference in a row of its own

	Version string // of mirror, for the forms that name their tool; "" where it is not known
}

// Marks for states and outcomes.
const (
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	cyan   = "\x1b[36m"
	plain  = "\x1b[0m"
)

func (s Style) paint(color, text string) string {
	if !s.Color {
		return text
	}
	return color + text + plain
}

func (s Style) state(state diff.State) string {
	switch state {
	case diff.Agrees:
		return s.paint(green, string(state))
	case diff.Drifts:
		return s.paint(red, string(state))
	}
	return s.paint(yellow, string(state))
}
