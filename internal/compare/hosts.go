package compare

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"net/url"
	"strings"

	"mirror/site"
)

// isText reports whether a media type is of text that may name its own host.
func isText(contentType string) bool {
	mediaType, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	mediaType = strings.TrimSpace(mediaType)
	if strings.HasPrefix(mediaType, "text/") {
		return true
	}
	for _, part := range []string{"json", "javascript", "ecmascript", "xml"} {
		if strings.Contains(mediaType, part) {
			return true
		}
	}
	return false
}

// ownBase is an origin's base URL, as pages may spell it.
type ownBase struct {
	scheme string
	host   []byte // without a port, in lower case
	anchor int    // of host, the byte to search for: one that has no case, where there is one
	port   string // "" for the scheme's own
	path   string // percent-encoded, without the last slash
}

func newOwnBase(u *url.URL) ownBase {
	port := u.Port()
	if port == defaultPort(u.Scheme) {
		port = ""
	}
	host := u.Host
	if p := u.Port(); p != "" {
		host = strings.TrimSuffix(host, ":"+p)
	}
	b := ownBase{scheme: u.Scheme, host: []byte(strings.ToLower(host)), port: port, path: strings.TrimSuffix(u.EscapedPath(), "/")}
	b.anchor = max(0, bytes.IndexFunc(b.host, func(r rune) bool { return r < 'a' }))
	return b
}

// find returns where the host is next in a text, whatever the case of its letters; -1 for
// nowhere.
func (b ownBase) find(text []byte) int {
	for from := min(b.anchor, len(text)); ; from++ {
		i := indexFold(text[from:], b.host[b.anchor])
		if i < 0 {
			return -1
		}
		from += i
		if at := from - b.anchor; len(text)-at >= len(b.host) && bytes.EqualFold(text[at:at+len(b.host)], b.host) {
			return at
		}
	}
}

// indexFold is bytes.IndexByte for a byte in lower case.
func indexFold(text []byte, c byte) int {
	if c < 'a' || c > 'z' {
		return bytes.IndexByte(text, c)
	}
	for i, other := range text {
		if other|0x20 == c {
			return i
		}
	}
	return -1
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// spelling is a way to write a URL within a text.
type spelling struct{ slash, colon string }

// spellings are as in HTML, as in JSON, and as within another URL.
func spellings() [3]spelling {
	return [3]spelling{{"/", ":"}, {`\/`, ":"}, {"%2f", "%3a"}}
}

// lookBehind is the most that may stand before a host: https%3A%2F%2F.
const lookBehind = len("https%3a%2f%2f")

// lookAhead is the most that decides what stands behind a host.
func (b ownBase) lookAhead() int { return len(b.host) + 3*(len(b.port)+len(b.path)) + 16 }

// match reports whether the host at text[at:] is of the own base, and what of the text that
// base takes.
func (b ownBase) match(text []byte, at int) (start, end int, ok bool) {
	for _, s := range spellings() {
		slashes := s.slash + s.slash
		if !hasSuffixFold(text[:at], slashes) {
			continue
		}
		start = at - len(slashes)
		if scheme := b.scheme + s.colon; hasSuffixFold(text[:start], scheme) {
			start -= len(scheme)
		}
		end, ok = b.rest(text, at+len(b.host), s)
		return start, end, ok
	}
	return 0, 0, false
}

// rest reads port and path behind the host, and looks that nothing goes on with them.
func (b ownBase) rest(text []byte, end int, s spelling) (int, bool) {
	port := s.colon + b.port
	if b.port == "" {
		port = s.colon + defaultPort(b.scheme)
	}
	switch {
	case hasPrefixFold(text[end:], port):
		end += len(port)
	case b.port != "":
		return 0, false
	}
	path := strings.ReplaceAll(b.path, "/", s.slash)
	if !hasPrefixFold(text[end:], path) {
		return 0, false
	}
	end += len(path)
	return end, ends(text[end:])
}

// ends reports whether a host or path ends before text.
func ends(text []byte) bool {
	if len(text) == 0 {
		return true
	}
	more := len(text) > 1 && isName(text[1])
	switch c := text[0]; c {
	case '.', ':': // the end of a sentence, or of the name
		return !more
	default:
		return !isName(c) && c != '@'
	}
}

func isName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '~'
}

func hasPrefixFold(text []byte, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(string(text[:len(prefix)]), prefix)
}

func hasSuffixFold(text []byte, suffix string) bool {
	return len(text) >= len(suffix) && strings.EqualFold(string(text[len(text)-len(suffix):]), suffix)
}

// ownPlace stands for the own base in what is hashed.
var ownPlace = []byte("\x00own base\x00")

// hostless hashes a text as it comes, with the own base taken out wherever a URL begins with
// it, so that pages of mirrors that name each its own host are the same.
type hostless struct {
	base    ownBase
	hash    hash.Hash
	pending []byte // not hashed yet, since what decides on it may still come
	count   int
}

func newHostless(base ownBase) *hostless { return &hostless{base: base, hash: sha256.New()} }

func (h *hostless) reset() {
	h.hash.Reset()
	h.pending, h.count = h.pending[:0], 0
}

// Write never fails.
func (h *hostless) Write(p []byte) (int, error) {
	h.pending = append(h.pending, p...)
	h.take(false)
	return len(p), nil
}

// sum returns the digest of the text without its own base, and how often that was named.
func (h *hostless) sum() (d site.Digest, count int) {
	h.take(true)
	h.hash.Sum(d[:0])
	return d, h.count
}

// take hashes what is decided. All but the last bytes are, or the whole at the end.
func (h *hostless) take(atEnd bool) {
	text, hashed, search := h.pending, 0, 0
	open := len(text) - len(h.base.host) + 1 // a host may begin here and end in what comes
	for {
		i := h.base.find(text[search:])
		if i < 0 {
			break
		}
		at := search + i
		if !atEnd && len(text)-at < h.base.lookAhead() {
			open = min(open, at)
			break
		}
		start, end, ok := h.base.match(text, at)
		if !ok || start < hashed {
			search = at + 1
			continue
		}
		h.hash.Write(text[hashed:start])
		h.hash.Write(ownPlace)
		h.count++
		hashed, search = end, end
	}
	safe := len(text)
	if !atEnd {
		safe = max(hashed, open-lookBehind)
	}
	h.hash.Write(text[hashed:safe])
	h.pending = append(h.pending[:0], text[safe:]...)
}

// Hostless returns a text with the base URL taken out wherever a URL begins with it, so that links to the
// site itself read as relative ones. Content of other types is returned as it is.
func Hostless(base *url.URL, contentType string, text []byte) []byte {
	if !isText(contentType) {
		return text
	}
	b := newOwnBase(base)
	var out []byte
	copied, search := 0, 0
	for {
		i := b.find(text[search:])
		if i < 0 {
			return append(out, text[copied:]...)
		}
		start, end, ok := b.match(text, search+i)
		if !ok || start < copied {
			search += i + 1
			continue
		}
		out = append(out, text[copied:start]...)
		copied, search = end, end
	}
}
