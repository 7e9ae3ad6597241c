package exec

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/exec/internal/protocol"
)

// Bounds of the copies that a program lists.
const (
	maxCopies   = 1000
	maxCopyName = 4 << 10 // bytes
)

// copies has the program list the whole copies of releases that it holds.
func (t *Target) copies(ctx context.Context, read func(c protocol.Copy) error) (all []protocol.Copy, err error) {
	hear := func(l protocol.Line) error {
		if l.Held == nil {
			return nil
		}
		c := *l.Held
		id, err := site.ParseID(string(c.Release))
		switch {
		case err != nil:
			return err
		case c.Name == "" || len(c.Name) > maxCopyName || strings.ContainsAny(c.Name, "\n\r"):
			return fmt.Errorf("%q is not the name of a copy", protocol.Brief([]byte(c.Name)))
		case len(all) >= maxCopies:
			return fmt.Errorf("it lists more than %d copies", maxCopies)
		}
		c.Release, c.Age = id, max(c.Age, 0)
		all = append(all, c)
		if read != nil {
			return read(c)
		}
		return nil
	}
	err = t.ask(ctx, protocol.Request{Op: "held"}, steps{hear: hear})
	return all, err
}

// ageOf is how long ago a copy was staged.
func ageOf(c protocol.Copy) time.Duration { return time.Duration(min(c.Age, maxAge)) * time.Second }

// maxAge bounds an age, in seconds: more cannot be told from it.
const maxAge = 100 * 365 * 24 * 60 * 60

// youngest returns each release once, with the age of its youngest copy.
func youngest(all []protocol.Copy) []targets.Held {
	var held []targets.Held
	for _, c := range all {
		i := slices.IndexFunc(held, func(h targets.Held) bool { return h.Release == c.Release })
		if i < 0 {
			held = append(held, targets.Held{Release: c.Release, Age: ageOf(c)})
		} else {
			held[i].Age = min(held[i].Age, ageOf(c))
		}
	}
	return held
}
