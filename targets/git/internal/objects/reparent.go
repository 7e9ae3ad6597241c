package objects

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/site"
)

// Reparent returns a copy of a commit with another parent, zero for none. The copy has no signature,
// which would be wrong. A commit of ours says that it came after the commit after, unless that is
// zero or it says already what it came after.
func Reparent(c Commit, parent, after plumbing.Hash) (Commit, error) {
	head, message, ok := strings.Cut(string(c.Raw), "\n\n")
	tree, rest, okTree := strings.Cut(head, "\n")
	if !ok || !okTree {
		return Commit{}, fmt.Errorf("commit %s: it is malformed", c.Hash)
	}
	var b strings.Builder
	b.WriteString(tree + "\n")
	if !parent.IsZero() {
		fmt.Fprintf(&b, "parent %s\n", parent)
	}
	b.WriteString(withoutHeaders(rest+"\n", "parent", "gpgsig", "gpgsig-sha256", "mergetag"))
	b.WriteString("\n" + message)
	if c.Release != site.None && c.After.IsZero() && !after.IsZero() && strings.HasSuffix(message, "\n") {
		fmt.Fprintf(&b, "%s: %s\n", trailerAfter, after)
	}
	return parseCommit([]byte(b.String()))
}

// withoutHeaders leaves out headers with the lines that continue them.
func withoutHeaders(head string, names ...string) string {
	var b strings.Builder
	drop := false
	for line := range strings.Lines(head) {
		if !strings.HasPrefix(line, " ") {
			drop = false
			for _, name := range names {
				drop = drop || strings.HasPrefix(line, name+" ")
			}
		}
		if !drop {
			b.WriteString(line)
		}
	}
	return b.String()
}
