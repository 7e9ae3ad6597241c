package wire

import (
	"slices"
	"strings"
)

// RejectedError is a push that the server refused in so many words.
type RejectedError struct {
	Unpack string   // why the pack was not taken, "" if it was
	refs   []string // the refs that did not move, and why
	said   string   // what the server and its hooks said, in lines
}

// Error says which refs did not move and why, and what else the server said.
func (e *RejectedError) Error() string {
	why := strings.Join(e.refs, "; ")
	if e.Unpack != "" {
		why = "it could not take the objects: " + e.Unpack
	}
	return "the server refused the push: " + why + remote(e.said)
}

// Words are all that the server said.
func (e *RejectedError) Words() string {
	return strings.Join(append(slices.Clone(e.refs), e.Unpack, e.said), "\n")
}

// Said are the words of the server and of its hooks, beside the refs.
func (e *RejectedError) Said() string { return e.said }

// Naming returns the error with each of the server's words as name gives it.
func (e *RejectedError) Naming(name func(text string) string) *RejectedError {
	named := &RejectedError{Unpack: name(e.Unpack), said: name(e.said)}
	for _, ref := range e.refs {
		named.refs = append(named.refs, name(ref))
	}
	return named
}

// With joins another refusal of the same pack. What the server says again is told once.
func (e *RejectedError) With(other *RejectedError) *RejectedError {
	joined := &RejectedError{Unpack: e.Unpack, refs: append(slices.Clone(e.refs), other.refs...)}
	if joined.Unpack == "" {
		joined.Unpack = other.Unpack
	}
	var lines []string
	for line := range strings.SplitSeq(e.said+"\n"+other.said, "\n") {
		if line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	joined.said = strings.Join(lines, "\n")
	return joined
}

// remote shows a server's messages as git does.
func remote(text string) string {
	if text == "" {
		return ""
	}
	return "\nremote: " + strings.ReplaceAll(text, "\n", "\nremote: ")
}
