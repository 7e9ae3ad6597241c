package history

import (
	"encoding/binary"
	"fmt"
	"time"

	"mirror/diff"
)

// everywhere is the path that stands for every page of an origin.
const everywhere = "*"

// maxLookPath bounds, in bytes, the paths of what is kept of looks.
const maxLookPath = 200

// everything is a path after all others: none has a byte that UTF-8 has not.
const everything = "\xff"

// looksAt are looks of which only that all pages were looked at between two instants is known.
func looksAt(asked, answered time.Time) diff.Looks {
	return diff.Looks{{To: everything, Asked: asked, Answered: answered}}
}

// judged returns since when each page was judged last: in now, or where some pages of a look could
// not be judged, in before. Pages that neither judged have no look.
func judged(now, before diff.Looks, unjudged map[string]bool) diff.Looks {
	var all diff.Looks
	for _, l := range now {
		if l.Asked.IsZero() {
			continue
		}
		if holdsAny(l, unjudged) {
			l.Asked = time.Time{}
			for _, old := range before {
				if old.From <= l.To && l.From <= old.To && (l.Asked.IsZero() || old.Asked.Before(l.Asked)) {
					l.Asked = old.Asked
				}
			}
		}
		all = append(all, l)
	}
	return all
}

func holdsAny(l diff.Look, paths map[string]bool) bool {
	for path := range paths {
		if l.Holds(path) {
			return true
		}
	}
	return false
}

// maxAskedFor is how many paths are looked up one by one.
const maxAskedFor = 1000

// askedFor returns when the pages of a drift were asked for when they were judged last: none of them
// had drifted then. It is zero where one of them was never judged.
func askedFor(looks diff.Looks, paths []string) (first time.Time) {
	if len(paths) > maxAskedFor {
		paths = []string{everywhere}
	}
	for _, path := range paths {
		asked, known := time.Time{}, false
		for _, l := range looks {
			if !l.Holds(path) {
				continue
			}
			if l.Asked.IsZero() {
				return time.Time{}
			}
			if !known || l.Asked.Before(asked) {
				asked, known = l.Asked, true
			}
		}
		if !known && path != everywhere {
			return askedFor(looks, []string{everywhere})
		}
		if first.IsZero() || asked.Before(first) {
			first = asked
		}
	}
	return first
}

// packLooks packs the paths of looks, and when they were asked for.
func packLooks(looks diff.Looks) []byte {
	var packed []byte
	for _, l := range looks {
		packed = appendText(packed, l.From[:min(len(l.From), maxLookPath)])
		if len(l.To) > maxLookPath {
			l.To = l.To[:maxLookPath] + everything
		}
		packed = appendText(packed, l.To)
		packed = binary.AppendVarint(packed, nanos(l.Asked))
	}
	return packed
}

func appendText(packed []byte, text string) []byte {
	return append(binary.AppendUvarint(packed, uint64(len(text))), text...)
}

// unpackLooks reads what packLooks has packed.
func unpackLooks(packed []byte) (looks diff.Looks, err error) {
	for len(packed) > 0 && err == nil {
		var l diff.Look
		var at int64
		if l.From, packed, err = cutText(packed); err != nil {
			return nil, err
		}
		if l.To, packed, err = cutText(packed); err != nil {
			return nil, err
		}
		if at, packed, err = cutNumber(packed); err != nil {
			return nil, err
		}
		l.Asked = timeOf(at)
		looks = append(looks, l)
	}
	return looks, nil
}

func cutText(packed []byte) (text string, rest []byte, err error) {
	n, size := binary.Uvarint(packed)
	if size <= 0 || n > uint64(len(packed)-size) {
		return "", nil, fmt.Errorf("%w: no list of looks", ErrDamaged)
	}
	end := size + int(n) //nolint:gosec // no more than there is
	return string(packed[size:end]), packed[end:], nil
}

func cutNumber(packed []byte) (n int64, rest []byte, err error) {
	n, size := binary.Varint(packed)
	if size <= 0 {
		return 0, nil, fmt.Errorf("%w: no list of looks", ErrDamaged)
	}
	return n, packed[size:], nil
}
