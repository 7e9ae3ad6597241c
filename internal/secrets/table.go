package secrets

import "strings"

// A text is searched in one pass. The last six bytes read, with upper and lower case made
// alike, are a key; a filter of 128 KiB tells for nearly all keys that no secret has them. Only
// what passes is compared byte by byte.
const (
	window     = Shortest
	keyShift   = 8 * (window - 1)
	filterBits = 20
	multiplier = 0x9E3779B97F4A7C15 // spreads keys evenly (Knuth, volume 3, section 6.4)
)

// table holds every form of every secret, ready to be searched for.
type table struct {
	forms   []form
	filter  *[1 << filterBits / 64]uint64 // nil without secrets
	places  map[uint64][]place
	longest int
	first   [256][]int // the forms that begin with a byte
}

// form is one way to write a secret.
type form struct {
	text string // folded
	need int    // how many bytes of it in a row give it away
	word bool   // counts only where no letter or digit stands beside it
}

// place is an offset in a form at which a window begins.
type place struct{ form, offset int }

var nothing = &table{}

// piece is how many bytes of a long token in a row give it away.
const piece = 12

// shortWord is the length below which a secret is replaced only where it stands alone.
const shortWord = 8

func newTable(values []string, strict bool) *table {
	if len(values) == 0 {
		return nothing
	}
	t := &table{filter: new([1 << filterBits / 64]uint64), places: map[uint64][]place{}}
	for _, value := range values {
		for _, text := range formsOf(value) {
			if len(text) >= window {
				t.add(form{text: fold(text), need: needed(value, text, strict), word: !strict && isWord(text)})
			}
		}
	}
	return t
}

// needed is how much of a form gives its value away: of a token a piece, of words most.
func needed(value, text string, strict bool) int {
	switch {
	case strict:
		return window
	case looksRandom(value):
		return min(len(text), piece)
	}
	return min(len(text), max(piece, (len(text)*2+2)/3))
}

// isWord reports whether a text is so short, or so much like a number, that it may be a part of
// something else.
func isWord(text string) bool {
	return len(text) < shortWord || allDigits(text) || allHex(text) && len(text) < piece
}

func (t *table) add(f form) {
	n := len(t.forms)
	t.forms = append(t.forms, f)
	t.first[f.text[0]] = append(t.first[f.text[0]], n)
	t.longest = max(t.longest, len(f.text))
	for offset := 0; offset+f.need <= len(f.text); offset++ {
		var key uint64
		for _, c := range []byte(f.text[offset : offset+window]) {
			key = push(key, c)
		}
		bit := hash(key)
		t.filter[bit/64] |= 1 << (bit % 64)
		t.places[key] = append(t.places[key], place{n, offset})
		if f.word {
			return // it is looked for as a whole
		}
	}
}

// push appends a byte to a key. Setting bit 5 makes letters small, and lets a few other
// characters pass for each other; a comparison follows.
func push(key uint64, c byte) uint64 { return key>>8 | uint64(c|0x20)<<keyShift }

func hash(key uint64) uint64 { return key * multiplier >> (64 - filterBits) }

// span is a part of a text.
type span struct{ from, to int }

// find returns the parts of a text that give secrets away, in order and apart.
func find[Text string | []byte](t *table, text Text) (found []span) {
	if t.filter == nil || len(text) < window {
		return nil
	}
	var key uint64
	for i := range len(text) {
		key = push(key, text[i])
		bit := hash(key)
		if t.filter[bit/64]&(1<<(bit%64)) == 0 || i < window-1 {
			continue
		}
		from := i - window + 1
		if n := longestAt(t, key, text, from); n > 0 {
			found = join(found, span{escapeStart(text, from), escapeEnd(text, from+n)})
		}
	}
	return found
}

// longestAt returns how much of a secret stands at a place of a text, 0 for too little.
func longestAt[Text string | []byte](t *table, key uint64, text Text, from int) (longest int) {
	for _, p := range t.places[key] {
		f := &t.forms[p.form]
		rest := f.text[p.offset:]
		n := 0
		for n < len(rest) && from+n < len(text) && lower(text[from+n]) == rest[n] {
			n++
		}
		if n < f.need || f.word && (n < len(rest) || !standsAlone(text, from, from+n)) {
			continue
		}
		longest = max(longest, n)
	}
	return longest
}

func join(found []span, next span) []span {
	if n := len(found); n > 0 && next.from <= found[n-1].to {
		found[n-1] = span{min(found[n-1].from, next.from), max(found[n-1].to, next.to)}
		return found
	}
	return append(found, next)
}

// standsAlone reports whether no letter or digit stands beside a part of a text. One that ends
// an escape sequence, as in \n or %20, does not count.
func standsAlone[Text string | []byte](text Text, from, to int) bool {
	if to < len(text) && isAlphanumeric(text[to]) {
		return false
	}
	return from == 0 || !isAlphanumeric(text[from-1]) || from >= 2 && text[from-2] == '\\' || from >= 3 && text[from-3] == '%' ||
		escapeStart(text, from-1) < from-1
}

// longestEscape is the length of \u0000 without its last character.
const longestEscape = 5

// escapeStart returns where the escape sequence (\n or \u0026) begins that a place is inside
// of, or the place itself: half a sequence would make a JSON document unreadable.
func escapeStart[Text string | []byte](text Text, at int) int {
	for back := 1; back <= longestEscape && back <= at; back++ {
		if text[at-back] != '\\' {
			continue
		}
		from, slashes := at-back, 1
		for from-slashes >= 0 && text[from-slashes] == '\\' {
			slashes++
		}
		inside := back == 1 || text[from+1] == 'u'
		if slashes%2 == 1 && inside {
			return from
		}
		return at
	}
	return at
}

// escapeEnd returns where a part of a text ends that is not to leave half of \" behind.
func escapeEnd[Text string | []byte](text Text, at int) int {
	slashes := 0
	for slashes < at && text[at-1-slashes] == '\\' {
		slashes++
	}
	if slashes%2 == 1 && at < len(text) {
		return at + 1
	}
	return at
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// fold makes letters of ASCII small, and leaves each byte where it is.
func fold(text string) string {
	var out strings.Builder
	for i := range len(text) {
		out.WriteByte(lower(text[i]))
	}
	return out.String()
}
