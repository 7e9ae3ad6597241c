package mixedcontent

import (
	"bytes"
	"strings"
)

// maxTag is how many bytes of a tag are looked at.
const maxTag = 8 << 10

// mode is what the next byte of a page belongs to.
type mode int

const (
	inText    mode = iota
	inTag          // what follows a <
	inComment      // <!-- … -->
	inRaw          // the content of a script, a style and the like
	inRawEnd       // what may be the end tag of that
	inCSS          // all is a style sheet
)

// Scanner finds what a page or a style sheet loads, while it streams through. Its memory is bounded, and its
// time is linear. What scripts build it cannot tell. The zero Scanner reads HTML.
type Scanner struct {
	found    Found
	upgraded bool // by the page's own policy
	mode     mode
	held     []byte  // of the tag
	quote    byte    // the tag is within a value in such quotes; 0 for none
	last     [2]byte // of a comment, or in last[1] the last byte of the tag that is no space
	raw      string  // the name of the element, as in "script"
	css      css
}

// Reset has the scanner begin with another page, or with a style sheet.
func (s *Scanner) Reset(sheet bool) {
	held, style := s.held[:0], s.css.held[:0]
	*s = Scanner{held: held}
	s.css = css{held: style}
	if sheet {
		s.mode = inCSS
	}
}

// Found tells what was found so far.
func (s *Scanner) Found() Found {
	if s.upgraded {
		return Found{}
	}
	return s.found
}

// Write scans the next piece. It never fails.
func (s *Scanner) Write(p []byte) (int, error) {
	n := len(p)
	s.css.found = &s.found
	for len(p) > 0 && s.found.Count < maxSeen {
		switch s.mode {
		case inText:
			p = s.text(p)
		case inTag:
			p = s.inTag(p)
		case inComment:
			p = s.inComment(p)
		case inRaw:
			p = s.inRaw(p)
		case inRawEnd:
			p = s.inRawEnd(p)
		case inCSS:
			s.css.write(p)
			p = nil
		}
	}
	return n, nil
}

func (s *Scanner) text(p []byte) (rest []byte) {
	i := bytes.IndexByte(p, '<')
	if i < 0 {
		return nil
	}
	s.mode, s.held, s.quote, s.last = inTag, s.held[:0], 0, [2]byte{}
	return p[i+1:]
}

// inTag reads on to the end of a tag. A < before anything that begins no tag is text.
func (s *Scanner) inTag(p []byte) (rest []byte) {
	if len(s.held) == 0 {
		switch c := p[0] | 0x20; {
		case p[0] == '!' || p[0] == '?':
		case (c < 'a' || c > 'z') && p[0] != '/':
			s.mode = inText
			return p
		}
	}
	first := p[0]
	if len(s.held) > 0 {
		first = s.held[0]
	}
	if first == '!' {
		return s.inDeclaration(p)
	}
	if len(s.held) == 0 {
		if i := bytes.IndexByte(p, '>'); i >= 0 && bytes.Count(p[:i], []byte{'"'})%2 == 0 && bytes.IndexByte(p[:i], '\'') < 0 {
			s.endTag(p[:min(i, maxTag)]) // no value is open
			return p[i+1:]
		}
	}
	last := s.last[1]
	for i := 0; i < len(p); i++ {
		if s.quote != 0 {
			end := bytes.IndexByte(p[i:], s.quote)
			if end < 0 {
				break
			}
			i, last, s.quote = i+end, s.quote, 0
			continue
		}
		switch c := p[i]; {
		case c == '>':
			s.hold(p[:i])
			s.endTag(s.held)
			return p[i+1:]
		case last == '=' && (c == '"' || c == '\''):
			s.quote = c
		case c > ' ':
			last = c
		}
	}
	s.last[1] = last
	s.hold(p)
	return nil
}

// inDeclaration reads on to the end of what begins with <!, or to what makes it a comment.
func (s *Scanner) inDeclaration(p []byte) (rest []byte) {
	for i, c := range p {
		s.hold(p[i : i+1])
		switch {
		case string(s.held) == "!--":
			s.mode, s.last = inComment, [2]byte{'-', '-'}
			return p[i+1:]
		case c == '>':
			s.mode = inText
			return p[i+1:]
		}
	}
	return nil
}

func (s *Scanner) hold(p []byte) { s.held = append(s.held, p[:min(len(p), maxTag-len(s.held))]...) }

// endTag looks at a tag that is whole.
func (s *Scanner) endTag(text []byte) {
	s.mode = inText
	if len(text) == 0 || text[0] == '/' || text[0] == '!' || text[0] == '?' {
		return
	}
	if containsHTTP(text) || bytes.Contains(text, []byte("upgrade-insecure")) {
		s.tag(text)
	}
	if name := rawName(text); name != "" {
		s.mode, s.raw = inRaw, name
		s.css.reset()
	}
}

// rawName returns the name of the element that a tag begins if its content is no markup, else "".
func rawName(tag []byte) string {
	for _, name := range [...]string{"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"} {
		if tag[0]|0x20 == name[0] && len(tag) >= len(name) && strings.EqualFold(string(tag[:len(name)]), name) &&
			(len(tag) == len(name) || tag[len(name)] <= ' ' || tag[len(name)] == '/') {
			return name
		}
	}
	return ""
}

// containsHTTP reports whether a tag may have an http:// URL, in letters of either case.
func containsHTTP(text []byte) bool {
	for {
		i := bytes.IndexByte(text, ':')
		if i < 0 {
			return false
		}
		if i >= 4 && strings.EqualFold(string(text[i-4:i]), "http") {
			return true
		}
		text = text[i+1:]
	}
}

func (s *Scanner) inComment(p []byte) (rest []byte) {
	for from := 0; ; {
		i := bytes.IndexByte(p[from:], '>')
		if i < 0 {
			s.endsWith(p)
			return nil
		}
		at := from + i
		s.endsWith(p[from:at])
		if s.last == [2]byte{'-', '-'} {
			s.mode = inText
			return p[at+1:]
		}
		s.last, from = [2]byte{0, '>'}, at+1
		if from == len(p) {
			return nil
		}
	}
}

// endsWith keeps the last two bytes.
func (s *Scanner) endsWith(p []byte) {
	switch n := len(p); {
	case n >= 2:
		s.last = [2]byte{p[n-2], p[n-1]}
	case n == 1:
		s.last = [2]byte{s.last[1], p[0]}
	}
}

// inRaw reads on to what may end a script or a style.
func (s *Scanner) inRaw(p []byte) (rest []byte) {
	i := bytes.IndexByte(p, '<')
	end := i
	if i < 0 {
		end = len(p)
	}
	if s.raw == "style" {
		s.css.write(p[:end])
	}
	if i < 0 {
		return nil
	}
	s.mode, s.held = inRawEnd, s.held[:0]
	return p[i+1:]
}

func (s *Scanner) inRawEnd(p []byte) (rest []byte) {
	for i, c := range p {
		switch n := len(s.held); {
		case n == 0 && c == '/', n > 0 && n <= len(s.raw) && c|0x20 == s.raw[n-1]:
			s.held = append(s.held, c)
			continue
		case n == len(s.raw)+1 && (c == '>' || c == '/' || c <= ' '):
			s.mode, s.quote, s.last = inTag, 0, [2]byte{}
			return p[i:]
		}
		if s.raw == "style" {
			s.css.write(append([]byte{'<'}, s.held...))
		}
		s.mode = inRaw
		return p[i:]
	}
	return nil
}
