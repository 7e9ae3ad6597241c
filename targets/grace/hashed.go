package grace

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// Hashed reports whether a path names an asset by its content: its name, or a folder that holds it, has
// a hash as the usual generators and bundlers write it (docs/grace.md lists them). It goes by the name
// alone. Pages, feeds and texts never count: their names have a meaning of their own.
//
// A hash is one of these, delimited by the ends of the name or by one of . - _ ~
//
//   - 8 to 64 hexadecimal digits of one case, with digits and letters. A date, a UUID and the number of
//     a version are none; digits alone are one of a script or a stylesheet.
//   - 8 or 10 characters of base64url, or 8 of base32, that do not read as words.
//   - 11 to 64 letters and digits that change between cases and digits as no word does.
func Hashed(name string) bool { return hashedIn(name, false) }

// hashedIn is Hashed where the folder is known to be a bundler's.
func hashedIn(name string, own bool) bool {
	dir, base := path.Split(name)
	stem, code := assetStem(base)
	if stem == "" || uuid.MatchString(name) {
		return false
	}
	for folder := range strings.SplitSeq(strings.TrimSuffix(dir, "/"), "/") {
		if len(folder) >= 16 && (isHex(folder) || isMixed(folder)) {
			return true
		}
	}
	own = own || onlyHashes(dir)
	for i, part := range strings.Split(stem, ".") {
		if hashedPart(part, context{first: i == 0, code: code, own: own}) {
			return true
		}
	}
	return false
}

// context is what the surroundings of a part of a name tell.
type context struct {
	first bool // nothing stands before it: it may be the asset's name
	code  bool // of a script or a stylesheet
	own   bool // in a folder that a bundler fills with hashed names alone
}

var (
	uuid = regexp.MustCompile(`(?i)(^|[^0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}([^0-9a-f]|$)`)
	date = regexp.MustCompile(`^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d*$`)
)

var (
	codeTypes  = []string{".js", ".mjs", ".cjs", ".css", ".wasm"}
	mediaTypes = []string{
		".woff2", ".woff", ".ttf", ".otf", ".eot", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg", ".ico", ".bmp",
		".mp4", ".webm", ".mp3", ".ogg", ".wav", ".m4a", ".json", ".pdf", ".glb", ".bin",
	}
	// besides are the ends of what lies beside an asset: its source map, a compressed copy, its licences.
	besides = []string{".map", ".gz", ".br", ".zst", ".LICENSE.txt"}
)

// assetStem takes the endings from an asset's name; "" where the name is not one of an asset.
func assetStem(base string) (stem string, code bool) {
	for i := 0; i < len(besides); i++ {
		if short, ok := strings.CutSuffix(base, besides[i]); ok {
			base, i = short, -1
		}
	}
	ext := path.Ext(base)
	stem = strings.TrimSuffix(base, ext)
	code = slices.Contains(codeTypes, strings.ToLower(ext))
	if !code && !slices.Contains(mediaTypes, strings.ToLower(ext)) {
		return "", false
	}
	return stem, code
}

// onlyHashes reports whether a folder is one in which a bundler gives every asset a hash.
func onlyHashes(dir string) bool {
	return slices.ContainsFunc([]string{"_astro/", "_nuxt/", "immutable/", "_next/static/chunks/", "_next/static/css/", "_next/static/media/"}, func(own string) bool {
		return strings.HasPrefix(dir, own) || strings.Contains(dir, "/"+own)
	})
}

// hashedPart reports whether a part of a name between dots has a hash.
func hashedPart(part string, in context) bool {
	if tail := end(part); tail != "" && !(in.first && tail == part && !in.own) && isShort(tail, in) {
		return true
	}
	if in.own && !in.first && len(part) > 8 && part[8] == '_' && isShort(part[:8], in) {
		return true // astro: the hashes of a picture and of what was made of it
	}
	if head, size, ok := strings.Cut(part, "-"); ok && in.first && len(head) == 10 && digits(size) && isShort(head, in) {
		return true // eleventy: the hash and the width of an image
	}
	all := strings.FieldsFunc(part, func(c rune) bool { return strings.ContainsRune("-_~", c) })
	for _, token := range all {
		alone := in.first && len(all) == 1
		switch {
		case isHex(token) && (!alone || in.own || len(token) >= 16):
			return true
		case in.code && (!alone || in.own) && isCount(token):
			return true
		case isMixed(token), !in.first && isBase32(token, in.code), in.first && !alone && token != all[0] && isBase32(token, in.code):
			return true
		}
	}
	return false
}

// end returns the last 8 or 10 characters of a part where a separator stands before them, or all of it.
func end(part string) string {
	for _, n := range []int{8, 10} {
		if at := len(part) - n; at == 0 || at > 0 && strings.ContainsRune("-_~", rune(part[at-1])) {
			return part[at:]
		}
	}
	return ""
}

// isShort reports whether a token is a short hash in base64url.
func isShort(token string, in context) bool {
	upper, lower, _ := classes(token)
	inner := strings.ContainsAny(token, "-_")
	switch {
	case strings.ContainsFunc(token, notBase64) || upper == 0 && lower == 0:
		return false
	case in.own:
		return upper > 0 || !reads(token)
	case inner && (upper == 0 || lower == 0 || upper+lower < 4 && !in.code):
		return false // a few short words, or the number of a version
	case upper == 0 || lower == 0:
		return lower > 0 && shuffled(token) || upper > 0 && isBase32(token, in.code)
	}
	return !reads(token)
}

// isHex reports whether a token is a hash in hexadecimal digits.
func isHex(token string) bool {
	upper, lower, number := classes(token)
	if len(token) < 8 || len(token) > 64 || number == 0 || upper+lower == 0 || upper > 0 && lower > 0 {
		return false
	}
	return !strings.ContainsFunc(strings.ToLower(token), func(c rune) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') })
}

// isCount reports whether a token is one of the hashes of 8 or 20 hexadecimal digits that happen to have no letter.
func isCount(token string) bool {
	return (len(token) == 8 || len(token) == 20) && digits(token) && !date.MatchString(token)
}

// isBase32 reports whether a token is a hash of 8 characters as esbuild writes it. Capital words and the
// numbers that cameras give are none, of pictures and the like.
func isBase32(token string, code bool) bool {
	upper, lower, number := classes(token)
	if len(token) != 8 || upper == 0 || lower > 0 || upper+number != len(token) {
		return false
	}
	if code {
		return !digits(token)
	}
	letters := strings.TrimRight(token, "0123456789")
	return !digits(token[1:]) && !(len(token)-len(letters) >= 3 && !strings.ContainsAny(letters, "0123456789")) &&
		(number > 0 || !readsAs(strings.ToLower(token)))
}

// isMixed reports whether a long token is a hash in letters and digits.
func isMixed(token string) bool {
	upper, lower, number := classes(token)
	if len(token) < 11 || len(token) > 64 || upper == 0 || lower == 0 || number == 0 || upper+lower+number != len(token) {
		return false
	}
	return len(humps(token))*3 > len(token) && !reads(token)
}

// shuffled reports whether letters of one case and digits alternate as in no name.
func shuffled(token string) bool {
	runs, short := humps(token), 0
	for _, run := range runs {
		if !digits(run) && (len(run) < 3 || !readsAs(strings.ToLower(run))) {
			short++
		}
	}
	return len(runs) >= 4 || len(runs) == 3 && short > 0 && !dimensions.MatchString(token)
}

var dimensions = regexp.MustCompile(`^\d+x\d+$`)

// reads reports whether a token is made of words as names are: at most three with the letters of a word, a
// short one only beside a long one, and at most one number, at an end.
func reads(token string) bool {
	runs, long, short := humps(token), 0, 0
	for i, run := range runs {
		upper, lower, _ := classes(run)
		switch {
		case digits(run):
			if i > 0 && i < len(runs)-1 {
				return false
			}
		case upper > 1 && lower > 0, !readsAs(strings.ToLower(run)):
			return false
		case len(run) >= 4:
			long++
		default:
			short++
		}
	}
	return long > 0 && long+short <= 3 && short <= 1
}

// humps divides a token at the edges of words: before a capital after a small letter, and between letters
// and digits. Separators are left out.
func humps(token string) []string {
	var runs []string
	start := 0
	for i := 1; i <= len(token); i++ {
		if i < len(token) && !edge(token[i-1], token[i]) {
			continue
		}
		if run := strings.Trim(token[start:i], "-_"); run != "" {
			runs = append(runs, run)
		}
		start = i
	}
	return runs
}

func edge(a, b byte) bool {
	kind := func(c byte) int { u, l, n := classes(string(c)); return u + 2*l + 4*n }
	ka, kb := kind(a), kind(b)
	return ka != kb && !(ka == 1 && kb == 2)
}

// readsAs reports whether every pair of neighbours in a text of small letters is usual in English words.
func readsAs(word string) bool {
	for i := 1; i < len(word); i++ {
		if a := word[i-1]; a < 'a' || a > 'z' || !strings.Contains(pairs[a-'a'], word[i:i+1]) {
			return false
		}
	}
	return true
}

// pairs has for each letter those that follow it in at least a dozen of 7,700 words of technical English.
var pairs = [26]string{
	"bcdfgiklmnprstuvwxy", "abceijlorstuy", "acehiklorstuy", "acdegilnorsuvy", "abcdefghiklmnopqrstuvwxy", "aefilorstuy",
	"aceghilmnorsu", "aeimorstuy", "abcdefgklmnoprstvxz", "aeou", "aeins", "acdefiklopstuvy", "abeilmopsu",
	"abcdefgiklmnoprstuvy", "abcdefgiklmnoprstuvwx", "aehiloprstuy", "u", "abcdefgiklmnoprstuvwy", "acefhiklmnopstuwy",
	"acdefhilmoprstuwy", "abcdefgilmnoprst", "aeio", "aehinors", "aceiptx", "ceimnpst", "aei",
}

func classes(token string) (upper, lower, number int) {
	for i := range len(token) {
		switch c := token[i]; {
		case c >= 'A' && c <= 'Z':
			upper++
		case c >= 'a' && c <= 'z':
			lower++
		case c >= '0' && c <= '9':
			number++
		}
	}
	return upper, lower, number
}

func digits(token string) bool {
	_, _, n := classes(token)
	return n == len(token) && n > 0
}

func notBase64(c rune) bool {
	return c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
}
