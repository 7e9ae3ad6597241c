package targets_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/site"
	"mirror/targets"
)

const old, young = 2 * targets.StagingGrace, time.Minute

// ids makes releases of the letters of a text.
func ids(text string) []site.ID {
	var all []site.ID
	for _, c := range text {
		all = append(all, site.ID(strings.Repeat(string(c), 64)))
	}
	return all
}

func TestExpired(t *testing.T) {
	for _, c := range []struct {
		name       string
		keep       int
		lived      string // the live one first
		known      string
		old, young string // what is held, the latest staged first
		hold       string
		drop       string
		want       string
	}{
		{name: "nothing"},
		{name: "as many as are kept", keep: 3, lived: "abc", old: "abc"},
		{name: "one more", keep: 3, lived: "abcd", young: "abcd", want: "d"},
		{name: "fewer are kept than before", keep: 2, lived: "abcde", old: "abcde", want: "cde"},
		{name: "the live one and the one before it always stay", keep: 1, lived: "abc", old: "abc", want: "c"},
		{name: "went live again", keep: 2, lived: "abacb", old: "abc", want: "c"},
		{name: "a record of what is gone takes no place", keep: 3, lived: "axbyc", old: "abc"},
		{name: "only the history here knows", keep: 2, lived: "a", known: "abcd", old: "abcd", want: "cd"},
		{name: "the target's order comes first", keep: 2, lived: "abc", known: "cba", old: "abc", want: "c"},
		{name: "nobody knows, and there is place", keep: 4, lived: "a", old: "abcd"},
		{name: "nobody knows, and there is no place", keep: 2, lived: "a", old: "abcd", want: "cd"},
		{name: "staged by another publisher just now", keep: 2, lived: "abc", old: "abc", young: "xyz", want: "c"},
		{name: "crashed long ago", keep: 2, lived: "abc", old: "xabc", want: "cx"},
		{name: "nothing is live", keep: 2, old: "abc", want: "c"},
		{name: "staged for later long ago", keep: 2, lived: "abc", old: "xabcy", hold: "x", want: "cy"},
		{name: "staged for later, and was live before", keep: 2, lived: "abcd", old: "abcd", hold: "c", want: "d"},
		{name: "withdrawn", keep: 3, lived: "abc", old: "abc", young: "xyz", drop: "y", want: "y"},
		{name: "withdrawn where there is place", keep: 5, lived: "a", old: "a", young: "x", drop: "x", want: "x"},
		{name: "withdrawn, and was live before", keep: 3, lived: "abc", old: "abc", drop: "b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var held []targets.Held
			for i, id := range ids(c.young) {
				held = append(held, targets.Held{Release: id, Age: young + time.Duration(i)})
			}
			for i, id := range ids(c.old) {
				held = append(held, targets.Held{Release: id, Age: old + time.Duration(i)})
			}
			got := targets.Retention{Keep: c.keep, Known: ids(c.known), Hold: ids(c.hold), Drop: ids(c.drop)}.Expired(held, ids(c.lived))
			if !slices.Equal(got, ids(c.want)) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
