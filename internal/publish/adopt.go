package publish

import (
	"context"
	"fmt"
	"strings"
)

// Adoption decides on destinations that hold files which no publish put there. The decision is
// recorded nowhere but at the destination itself, by the commit: one that did not take place
// leaves the destination as foreign as it was, and the next publish decides anew.
type Adoption struct {
	// Allowed lets the publish take such files away.
	Allowed bool
	// Ask asks a person where Allowed is false; nil where there is none. It is called for one
	// destination after the other, and only when nothing else stands in the way.
	Ask func(ctx context.Context, destination string, foreign []string) (bool, error)
}

// ForeignError says that a publish would take files away that no publish put there.
type ForeignError struct {
	Files []string // what is lost
}

// shownForeign is how many of the files the error names.
const shownForeign = 3

// Error names the number, the first few and the way out.
func (e *ForeignError) Error() string {
	var first []string
	for _, path := range e.Files[:min(len(e.Files), shownForeign)] {
		first = append(first, fmt.Sprintf("%q", path))
	}
	what := "1 file"
	if len(e.Files) > 1 {
		what = fmt.Sprintf("%d files", len(e.Files))
	}
	if len(e.Files) > shownForeign {
		first = append(first, "…")
	}
	return fmt.Sprintf("no publish has used this place before, and this one would delete %s there: %s (hint: is it the right place? publish --adopt deletes them, once; publish.keep in the config protects paths)",
		what, strings.Join(first, ", "))
}
